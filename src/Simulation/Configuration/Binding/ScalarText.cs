using System.Globalization;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>Between scalars and the text that stands for them; the culture is always the invariant one.</summary>
internal static class ScalarText
{
    /// <summary>What a value of this type must be, in words.</summary>
    public static string Need(Type type) => type switch
    {
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(string) => "text",
        _ when type == typeof(int) || type == typeof(long) => "a whole number",
        _ when type == typeof(uint) || type == typeof(ulong) => "a whole number of 0 or more",
        _ => "a number",
    };

    /// <summary>Null when the text is no such value.</summary>
    public static object? Parse(Type type, ConfigScalar scalar)
    {
        if (type == typeof(string))
        {
            return scalar.Text;
        }

        if (scalar.IsQuoted)
        {
            return null;
        }

        // 60_000 reads better than 60000.
        var text = scalar.Text.Length > 2 && char.IsAsciiDigit(scalar.Text[^1]) ? scalar.Text.Replace("_", "", StringComparison.Ordinal) : scalar.Text;
        return type switch
        {
            _ when type == typeof(bool) => text switch { "true" => true, "false" => false, _ => null },
            _ when type == typeof(int) => Whole(text) is { } n && n >= int.MinValue && n <= int.MaxValue ? (int)n : null,
            _ when type == typeof(long) => Whole(text) is { } n && n >= long.MinValue && n <= long.MaxValue ? (long)n : null,
            _ when type == typeof(uint) => Whole(text) is { } n && n >= 0 && n <= uint.MaxValue ? (uint)n : null,
            _ when type == typeof(ulong) => Whole(text) is { } n && n >= 0 && n <= ulong.MaxValue ? (ulong)n : null,
            _ when type == typeof(double) => Real(text),
            _ when type == typeof(float) => (float?)Real(text),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No scalar."),
        };
    }

    /// <summary>Text that <see cref="Parse"/> reads back to the same value.</summary>
    public static string Format(object value) => value switch
    {
        bool truth => truth ? "true" : "false",
        double number => Format(number, number.ToString("R", CultureInfo.InvariantCulture)),
        float number => Format(number, number.ToString("R", CultureInfo.InvariantCulture)),
        string text => Quote(text),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "No scalar."),
    };

    /// <summary>Plain where YAML reads it back as this very text, else in double quotes.</summary>
    public static string Quote(string text)
    {
        var isPlain = text.Length > 0 && (char.IsAsciiLetter(text[0]) || text[0] is '/' or '_')
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '-' or '_' or '.' or '/' or '(' or ')' or '+')
            && !text.EndsWith(' ') && text is not ("null" or "true" or "false" or "yes" or "no" or "on" or "off");
        return isPlain ? text : System.Text.Json.JsonSerializer.Serialize(text, Relaxed);
    }

    // Nothing here is ever put into HTML; readable beats escaped.
    private static readonly System.Text.Json.JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Format(double number, string text) => double.IsNaN(number) ? ".nan" : double.IsInfinity(number) ? number > 0 ? ".inf" : "-.inf" : text;

    private static decimal? Whole(string text) =>
        decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number) && number == decimal.Truncate(number)
            ? number
            : null;

    private static double? Real(string text) => text switch
    {
        ".inf" or "+.inf" or "inf" => double.PositiveInfinity,
        "-.inf" or "-inf" => double.NegativeInfinity,
        ".nan" => double.NaN,
        _ => double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) ? number : null,
    };
}
