using System.Globalization;

namespace ConsoleDevice;

/// <summary>What this device has measured: rows of numbers, the last of each row the class.</summary>
internal sealed record Readings(float[][] Rows, int[] Labels)
{
    public static Readings Load(string path)
    {
        var lines = File.ReadLines(path).Skip(1).Where(line => line.Length > 0).Select(line => line.Split(',')).ToList();
        float[][] rows = [.. lines.Select(cells => cells[..^1].Select(cell => float.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];
        Standardise(rows);
        return new Readings(rows, [.. lines.Select(cells => int.Parse(cells[^1], CultureInfo.InvariantCulture))]);
    }

    /// <summary>Every column gets mean 0 and standard deviation 1, by this device's own rows, as <c>fed client</c> does: nobody's scale is sent anywhere.</summary>
    private static void Standardise(float[][] rows)
    {
        for (var column = 0; column < (rows.FirstOrDefault()?.Length ?? 0); column++)
        {
            var mean = rows.Average(row => row[column]);
            var deviation = MathF.Sqrt(rows.Average(row => (row[column] - mean) * (row[column] - mean)));
            foreach (var row in rows)
            {
                row[column] = deviation > 0 ? (row[column] - mean) / deviation : 0;
            }
        }
    }
}
