using System.Globalization;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>Where a piece of configuration was written, so that an error can point at it.</summary>
/// <param name="Source">A file as the user named it, or the text of a <c>--set</c>.</param>
/// <param name="Line">1-based; 0 when the source has no lines.</param>
/// <param name="Column">1-based; 0 when the source has no lines.</param>
public readonly record struct SourceLocation(string Source, int Line, int Column)
{
    public override string ToString() => Line == 0 ? Source : string.Create(CultureInfo.InvariantCulture, $"{Source}:{Line}:{Column}");
}
