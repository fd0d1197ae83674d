using System.Buffers.Binary;
using Federated.Aggregation.Parameters;

namespace Federated.Aggregation.Compression.Wire;

/// <summary>The beginning that sparse bodies share: a count, then as many values.</summary>
internal static class SparseBody
{
    /// <summary>Splits a body into its k values and the rest, or refuses it.</summary>
    public static void Split(ReadOnlySpan<byte> body, int k, ElementType type, out ReadOnlySpan<byte> values, out ReadOnlySpan<byte> rest)
    {
        MessageHeader.Require(body.Length >= sizeof(uint), "a count of values", body.Length);
        MessageHeader.Require(BinaryPrimitives.ReadUInt32LittleEndian(body) == (uint)k, $"{k} values", BinaryPrimitives.ReadUInt32LittleEndian(body));
        var size = (long)k * type.Size();
        MessageHeader.Require(body.Length - sizeof(uint) >= size, $"{size} bytes of values", body.Length - sizeof(uint));
        values = body.Slice(sizeof(uint), (int)size);
        rest = body[(sizeof(uint) + (int)size)..];
    }
}
