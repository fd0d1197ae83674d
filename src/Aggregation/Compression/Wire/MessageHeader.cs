using System.Buffers.Binary;
using Federated.Aggregation.Parameters;

namespace Federated.Aggregation.Compression.Wire;

/// <summary>The first 12 bytes of every encoded update.</summary>
/// <remarks>
/// <code>
/// offset size
///   0     4   magic  46 55 50 44 ("FUPD")
///   4     1   format version, 1
///   5     1   codec: 1 floating point, 2 top-k, 3 random-k, 4 QSGD fixed width, 5 QSGD Elias, 6 uniform
///   6     1   type of the floating-point values in the body: 1 F16, 2 BF16, 3 F32, 4 F64
///   7     1   the codec's parameter (see there), else 0
///   8     4   d, number of coordinates, unsigned, at most 2³¹ − 1
///  12         body
/// </code>
/// All integers and floating-point values are little-endian. Bit streams fill each byte from its least significant bit; unused bits of the
/// last byte are 0. A message has no trailing bytes.
/// </remarks>
public static class MessageHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Length = 12;

    private const uint Magic = 0x4450_5546;
    private const byte Version = 1;

    /// <summary>Number on the wire of the type of floating-point values.</summary>
    internal static byte Code(ElementType type) => type switch
    {
        ElementType.F16 => 1,
        ElementType.BF16 => 2,
        ElementType.F32 => 3,
        _ => 4,
    };

    internal static void Write(Span<byte> target, MessageCodec codec, ElementType values, byte parameter, int dimension)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        target[4] = Version;
        target[5] = (byte)codec;
        target[6] = Code(values);
        target[7] = parameter;
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], dimension);
    }

    /// <summary>Refuses a message whose header is not exactly the expected one; returns the body.</summary>
    internal static ReadOnlySpan<byte> Check(
        ReadOnlySpan<byte> message, string name, MessageCodec codec, ElementType values, byte parameter, int dimension, long maximum)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        if (message.Length < Length || message.Length > maximum)
        {
            throw new AggregationException(
                $"A {name} update of {dimension} coordinates has {Length} to {maximum} bytes, this message has {message.Length}; it was cut, padded or written with other settings.");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(message) != Magic)
        {
            throw new AggregationException("These bytes are no encoded update: they do not begin with 'FUPD'.");
        }

        Require(message[4] == Version, $"format version {Version}", message[4]);
        Require(message[5] == (byte)codec, $"codec {(byte)codec} ({name})", message[5]);
        Require(message[6] == Code(values), $"value type {Code(values)} ({values})", message[6]);
        Require(message[7] == parameter, $"codec parameter {parameter}", message[7]);
        Require(BinaryPrimitives.ReadUInt32LittleEndian(message[8..]) == (uint)dimension, $"{dimension} coordinates", BinaryPrimitives.ReadUInt32LittleEndian(message[8..]));
        return message[Length..];
    }

    /// <summary>Refuses a body that is not what the codec writes.</summary>
    internal static void Require(bool condition, string needed, long found)
    {
        if (!condition)
        {
            throw new AggregationException($"The encoded update was expected to have {needed}, it has {found}; the client's codec settings must be the run's.");
        }
    }
}

/// <summary>Numbers of the codecs on the wire.</summary>
internal enum MessageCodec : byte
{
    FloatingPoint = 1,
    TopK = 2,
    RandomK = 3,
    QsgdFixed = 4,
    QsgdElias = 5,
    Uniform = 6,
}
