using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>Reads <see cref="RangeAttribute"/>: an end that is the type's own limit is no limit.</summary>
internal static class Ranges
{
    /// <summary>The lower bound; null for none.</summary>
    public static double? Minimum(RangeAttribute range) => Number(range.Minimum) is var n && n <= -1e18 || n == int.MinValue ? null : n;

    /// <summary>The upper bound; null for none.</summary>
    public static double? Maximum(RangeAttribute range) => Number(range.Maximum) is var n && n >= 1e18 || n == int.MaxValue ? null : n;

    public static string Describe(RangeAttribute range) => (Minimum(range), Maximum(range)) switch
    {
        (null, null) => "a number",
        ({ } low, null) => range.MinimumIsExclusive ? $"above {Text(low)}" : $"{Text(low)} or more",
        (null, { } high) => range.MaximumIsExclusive ? $"below {Text(high)}" : $"{Text(high)} or less",
        ({ } low, { } high) => $"in {(range.MinimumIsExclusive ? '(' : '[')}{Text(low)}, {Text(high)}{(range.MaximumIsExclusive ? ')' : ']')}",
    };

    private static double Number(object bound) => Convert.ToDouble(bound, CultureInfo.InvariantCulture);

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
