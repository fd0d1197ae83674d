using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Federated.Simulation.Reports.Charts;

/// <summary>
/// Builds HTML and SVG that is also well-formed XML. Every interpolated value is escaped, and numbers are written in the invariant
/// culture to a hundredth; only what is given as markup is taken as it is.
/// </summary>
public sealed class Markup
{
    private readonly StringBuilder text = new();

    /// <summary>Adds literal markup with escaped values.</summary>
    public Markup Add([InterpolatedStringHandlerArgument("")] ref Handler handler) => this;

    /// <summary>Adds markup made elsewhere, as it is.</summary>
    public Markup Add(Markup inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        text.Append(inner.text);
        return this;
    }

    public override string ToString() => text.ToString();

    /// <summary>The characters that mean something to HTML, replaced; control characters that XML forbids, dropped.</summary>
    public static string Escape(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var escaped = new StringBuilder(value.Length);
        foreach (var rune in value.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                '\t' or '\n' => escaped.Append((char)rune.Value),
                0xFFFE or 0xFFFF => escaped,
                _ when Rune.IsControl(rune) => escaped.Append(' '),
                _ => escaped.Append(rune.ToString()),
            };
        }

        return escaped.ToString();
    }

    /// <summary>Takes interpolated strings apart: literals are markup, holes are values.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Handler
    {
        private readonly StringBuilder text;

        public Handler(int literalLength, int formattedCount, Markup markup)
        {
            ArgumentNullException.ThrowIfNull(markup);
            _ = literalLength + formattedCount;
            text = markup.text;
        }

        public void AppendLiteral(string literal) => text.Append(literal);

        public void AppendFormatted(Markup inner) => text.Append(inner?.text);

        public void AppendFormatted(string? value) => text.Append(Escape(value ?? ""));

        public void AppendFormatted(int value) => text.Append(value.ToString(CultureInfo.InvariantCulture));

        public void AppendFormatted(long value) => text.Append(value.ToString(CultureInfo.InvariantCulture));

        public void AppendFormatted(double value) => text.Append(value.ToString("0.##", CultureInfo.InvariantCulture));
    }
}
