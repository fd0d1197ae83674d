namespace Federated.Privacy.Local.Vectors;

/// <summary>A report of <see cref="HalfSpaceRandomizer{T}"/>: public random seeds, each with one randomised bit.</summary>
/// <param name="Seeds">32 bytes for each repetition, drawn without looking at the data.</param>
/// <param name="Bits">One for each repetition.</param>
public sealed record HalfSpaceReport(ReadOnlyMemory<byte> Seeds, IReadOnlyList<bool> Bits);
