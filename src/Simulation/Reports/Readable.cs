using System.Globalization;

namespace Federated.Simulation.Reports;

/// <summary>Numbers as people read them; files for machines keep every digit.</summary>
public static class Readable
{
    private static readonly string[] ByteUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>Thousands grouped for whole numbers, else four significant digits.</summary>
    public static string Number(double value) => value switch
    {
        _ when double.IsNaN(value) => "–",
        _ when double.IsInfinity(value) => value > 0 ? "∞" : "−∞",
        _ when value == Math.Floor(value) && Math.Abs(value) < 1e15 => Minus(value.ToString("#,0", CultureInfo.InvariantCulture)),
        _ when Math.Abs(value) is >= 1e6 or < 1e-3 => Minus(value.ToString("0.###e0", CultureInfo.InvariantCulture)),
        _ when Math.Abs(value) >= 1000 => Minus(value.ToString("#,0", CultureInfo.InvariantCulture)),
        _ => Minus(value.ToString("G4", CultureInfo.InvariantCulture)),
    };

    /// <summary>A share as percent with two digits: enough to tell one test example in ten thousand.</summary>
    public static string Percent(double share) => double.IsNaN(share) ? "–" : string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.00} %");

    /// <summary>Decimal units, as networks count.</summary>
    public static string Bytes(double bytes)
    {
        var unit = 0;
        while (Math.Abs(bytes) >= 999.5 && unit < ByteUnits.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        var digits = unit == 0 || bytes >= 99.95 ? "0" : bytes >= 9.995 ? "0.#" : "0.##";
        return $"{bytes.ToString(digits, CultureInfo.InvariantCulture)} {ByteUnits[unit]}";
    }

    /// <summary>The two largest units that matter: <c>3 h 25 min</c>, <c>12.5 s</c>, <c>3 ms</c>.</summary>
    public static string Seconds(double seconds)
    {
        if (!double.IsFinite(seconds))
        {
            return Number(seconds);
        }

        var rounded = Math.Round(seconds);
        return Math.Abs(seconds) switch
        {
            0 => "0 s",
            < 0.9995 => Text(seconds * 1000, "0.##", "ms"),
            < 59.95 => Text(seconds, "0.#", "s"),
            < 3599.5 => Pair(rounded, 60, "min", 1, "s"),
            < 86370 => Pair(Math.Round(seconds / 60) * 60, 3600, "h", 60, "min"),
            < 365 * 86400.0 => Pair(Math.Round(seconds / 3600) * 3600, 86400, "d", 3600, "h"),
            _ => Text(seconds / (365.25 * 86400), "0.#", "years"),
        };
    }

    /// <summary>1.2 k, 3.4 M: for axes and tight places.</summary>
    public static string Short(double value) => Math.Abs(value) switch
    {
        >= 999_500_000 => Text(value / 1e9, "0.##", "G"),
        >= 999_500 => Text(value / 1e6, "0.##", "M"),
        >= 9_999.5 => Text(value / 1e3, "0.##", "k"),
        _ => Number(value),
    };

    private static string Pair(double seconds, int large, string largeUnit, int small, string smallUnit)
    {
        var (whole, rest) = (Math.Floor(seconds / large), Math.Floor(seconds % large / small));
        return rest == 0 ? Text(whole, "0", largeUnit) : $"{Text(whole, "0", largeUnit)} {Text(rest, "0", smallUnit)}";
    }

    private static string Text(double value, string format, string unit) => $"{Minus(value.ToString(format, CultureInfo.InvariantCulture))} {unit}";

    private static string Minus(string number) => number.StartsWith('-') ? "−" + number[1..] : number;
}
