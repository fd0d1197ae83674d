using System.Collections.Immutable;

namespace Federated.Aggregation.Parameters;

/// <summary>One tensor of a safetensors file, as its header declares it and after its numbers were checked against each other.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="DataType">Safetensors' name of the element type; any of them, since files hold counters and masks too.</param>
/// <param name="Shape">Extents, outermost first; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the start of the data.</param>
/// <param name="End">One past the last byte; <c>End − Begin</c> is exactly what shape and type need.</param>
public sealed record SafetensorsTensor(string Name, string DataType, ImmutableArray<long> Shape, long Begin, long End)
{
    /// <summary>Number of elements.</summary>
    public long Length { get; } = Shape.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>Bytes of data.</summary>
    public long Bytes => End - Begin;

    public bool Equals(SafetensorsTensor? other) =>
        other is not null && Name == other.Name && DataType == other.DataType && Begin == other.Begin && End == other.End
        && Shape.SequenceEqual(other.Shape);

    public override int GetHashCode() => HashCode.Combine(Name, DataType, Begin, End);

    public override string ToString() => $"'{Name}' {DataType}[{string.Join(", ", Shape)}]";

    /// <summary>Bits per element of every safetensors data type (format version of safetensors 0.7); 0 for an unknown name.</summary>
    internal static int BitsOf(string dataType) => dataType switch
    {
        "F64" or "I64" or "U64" or "C64" => 64,
        "F32" or "I32" or "U32" => 32,
        "F16" or "BF16" or "I16" or "U16" => 16,
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 8,
        "F6_E2M3" or "F6_E3M2" => 6,
        "F4" => 4,
        _ => 0,
    };
}
