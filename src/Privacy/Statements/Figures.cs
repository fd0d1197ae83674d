using System.Globalization;

namespace Federated.Privacy.Statements;

/// <summary>Numbers of a promise as people read them: rounded up, so that what is printed never promises more than what was computed.</summary>
public static class Figures
{
    /// <summary>The smallest number of so many digits that is not below the value.</summary>
    /// <param name="value">Zero or more.</param>
    /// <param name="digits">Significant digits, 1 to 15.</param>
    public static string Up(double value, int digits = 4) => Round(value, digits, up: true);

    /// <summary>The largest number of so many digits that is not above the value: for noise, of which more protects more.</summary>
    /// <param name="value">Zero or more.</param>
    /// <param name="digits">Significant digits, 1 to 15.</param>
    public static string Down(double value, int digits = 4) => Round(value, digits, up: false);

    private static string Round(double value, int digits, bool up)
    {
        if (!double.IsFinite(value))
        {
            return "∞";
        }

        if (value == 0)
        {
            return "0";
        }

        var text = value.ToString($"E{digits - 1}", CultureInfo.InvariantCulture);
        var at = text.IndexOf('E', StringComparison.Ordinal);
        var (mantissa, exponent) = (decimal.Parse(text.AsSpan(0, at), CultureInfo.InvariantCulture), int.Parse(text.AsSpan(at + 1), CultureInfo.InvariantCulture));
        var written = Read(mantissa, exponent);
        if (up ? written < value : written > value)
        {
            var unit = 1m;
            for (var i = 1; i < digits; i++)
            {
                unit /= 10;
            }

            mantissa += up ? unit : -unit;
        }

        return Write(mantissa, exponent);
    }

    private static double Read(decimal mantissa, int exponent) => double.Parse(
        string.Create(CultureInfo.InvariantCulture, $"{mantissa}E{exponent}"), CultureInfo.InvariantCulture);

    private static string Write(decimal mantissa, int exponent)
    {
        if (exponent is < -3 or > 6)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{mantissa:0.###############}e{exponent}");
        }

        for (; exponent > 0; exponent--)
        {
            mantissa *= 10;
        }

        for (; exponent < 0; exponent++)
        {
            mantissa /= 10;
        }

        return mantissa.ToString("0.####################", CultureInfo.InvariantCulture);
    }
}
