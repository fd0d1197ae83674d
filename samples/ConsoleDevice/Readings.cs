using System.Globalization;

namespace ConsoleDevice;

/// <summary>What this device has measured: rows of numbers, the last of each row the class.</summary>
internal sealed record Readings(float[][] Rows, int[] Labels)
{
    public static Readings Load(string path)
    {
        var lines = File.ReadLines(path).Skip(1).Where(line => line.Length > 0).Select(line => line.Split(',')).ToList();
        return new Readings(
            [.. lines.Select(cells => cells[..^1].Select(cell => float.Parse(cell, CultureInfo.InvariantCulture)).ToArray())],
            [.. lines.Select(cells => int.Parse(cells[^1], CultureInfo.InvariantCulture))]);
    }
}
