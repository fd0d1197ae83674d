using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Federated.Aggregation.Parameters;

/// <summary>
/// Conversion between parameters in memory (float or double) and their little-endian bytes as F32, F64, F16 or BF16. Widening is
/// exact; narrowing rounds once, to nearest, ties to even; overflow gives infinity and a NaN stays a NaN, as IEEE 754 says.
/// </summary>
/// <remarks>Cost: one pass, vectorised for float (F32, F16, BF16) and double (F64, F32); no allocation.</remarks>
public static class ElementConversion
{
    private const int ChunkElements = 1024;

    /// <summary>Reads <c>destination.Length</c> elements.</summary>
    /// <param name="type">What the bytes hold.</param>
    /// <param name="source">Exactly <c>destination.Length × size</c> bytes, little-endian.</param>
    /// <param name="destination">Overwritten.</param>
    public static void Decode<T>(ElementType type, ReadOnlySpan<byte> source, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RequireLittleEndian();
        RequireLength(type, source.Length, destination.Length);
        if (typeof(T) == typeof(float))
        {
            DecodeSingle(type, source, MemoryMarshal.Cast<T, float>(destination));
        }
        else if (type == ElementType.F64 && typeof(T) == typeof(double))
        {
            MemoryMarshal.Cast<byte, T>(source).CopyTo(destination);
        }
        else if (type == ElementType.F64)
        {
            TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source), destination);
        }
        else
        {
            Span<float> chunk = stackalloc float[ChunkElements];
            for (var start = 0; start < destination.Length; start += ChunkElements)
            {
                var part = chunk[..Math.Min(ChunkElements, destination.Length - start)];
                DecodeSingle(type, source.Slice(start * type.Size(), part.Length * type.Size()), part);
                TensorPrimitives.ConvertTruncating<float, T>(part, destination[start..]);
            }
        }
    }

    /// <summary>Writes <c>source.Length</c> elements.</summary>
    /// <param name="type">What the bytes are to hold.</param>
    /// <param name="source">Parameters.</param>
    /// <param name="destination">Exactly <c>source.Length × size</c> bytes, overwritten.</param>
    public static void Encode<T>(ElementType type, ReadOnlySpan<T> source, Span<byte> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RequireLittleEndian();
        RequireLength(type, destination.Length, source.Length);
        if (typeof(T) == typeof(float))
        {
            EncodeSingle(type, MemoryMarshal.Cast<T, float>(source), destination);
        }
        else if (typeof(T) == typeof(double))
        {
            EncodeDouble(type, MemoryMarshal.Cast<T, double>(source), destination);
        }
        else
        {
            throw new NotSupportedException($"Parameters are float or double, not {typeof(T).Name}.");
        }
    }

    /// <summary>First element whose magnitude is finite but would become infinite as <paramref name="type"/>; −1 if there is none.</summary>
    public static int FirstOverflow<T>(ElementType type, ReadOnlySpan<T> source)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (type == ElementType.F64 || (typeof(T) == typeof(float) && type == ElementType.F32) || source.IsEmpty)
        {
            return -1;
        }

        // The first value that rounds to infinity is half a unit in the last place past the largest finite one.
        var bits = type switch { ElementType.F32 => 24, ElementType.F16 => 11, _ => 8 };
        var largest = type.Largest();
        var limit = largest + (Math.ScaleB(1.0, Math.ILogB(largest) - bits + 1) / 2);

        // One vectorised pass for the usual answer; only an infinity or a NaN in the parameters themselves leads to the slow one.
        if (double.CreateTruncating(T.Abs(TensorPrimitives.MaxMagnitude(source))) < limit)
        {
            return -1;
        }

        for (var i = 0; i < source.Length; i++)
        {
            var magnitude = double.CreateTruncating(T.Abs(source[i]));
            if (magnitude >= limit && double.IsFinite(magnitude))
            {
                return i;
            }
        }

        return -1;
    }

    private static void DecodeSingle(ElementType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case ElementType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case ElementType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);
                break;
            case ElementType.BF16:
                BrainFloat.ToSingle(MemoryMarshal.Cast<byte, ushort>(source), destination);
                break;
            default:
                TensorPrimitives.ConvertTruncating<double, float>(MemoryMarshal.Cast<byte, double>(source), destination);
                break;
        }
    }

    private static void EncodeSingle(ElementType type, ReadOnlySpan<float> source, Span<byte> destination)
    {
        switch (type)
        {
            case ElementType.F32:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                break;
            case ElementType.F16:
                TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<byte, Half>(destination));
                break;
            case ElementType.BF16:
                BrainFloat.FromSingle(source, MemoryMarshal.Cast<byte, ushort>(destination));
                break;
            default:
                TensorPrimitives.ConvertTruncating<float, double>(source, MemoryMarshal.Cast<byte, double>(destination));
                break;
        }
    }

    private static void EncodeDouble(ElementType type, ReadOnlySpan<double> source, Span<byte> destination)
    {
        switch (type)
        {
            case ElementType.F64:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                break;
            case ElementType.F32:
                TensorPrimitives.ConvertTruncating<double, float>(source, MemoryMarshal.Cast<byte, float>(destination));
                break;
            case ElementType.F16:
                // Not through float: rounding twice is wrong at ties.
                TensorPrimitives.ConvertTruncating<double, Half>(source, MemoryMarshal.Cast<byte, Half>(destination));
                break;
            default:
                var target = MemoryMarshal.Cast<byte, ushort>(destination);
                for (var i = 0; i < source.Length; i++)
                {
                    target[i] = BrainFloat.FromDouble(source[i]);
                }

                break;
        }
    }

    private static void RequireLength(ElementType type, int bytes, int elements)
    {
        if (bytes != (long)elements * type.Size())
        {
            throw new ArgumentException($"{elements} elements of {type} are {(long)elements * type.Size()} bytes, not {bytes}.");
        }
    }

    private static void RequireLittleEndian()
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Parameter files are little-endian and so must the machine be.");
        }
    }
}
