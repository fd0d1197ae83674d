using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Aggregation.Parameters;

/// <summary>
/// bfloat16 as its 16 bits: the upper half of a binary32. Narrowing rounds to nearest, ties to even; a NaN stays a NaN with its sign
/// and, where it fits, its payload; overflow gives infinity.
/// </summary>
/// <remarks>Cost: memory-bound; integer arithmetic only, so that a signalling NaN passes unchanged and denormals are exact.</remarks>
public static class BrainFloat
{
    private const uint Infinity = 0x7F80_0000;
    private const uint Magnitude = 0x7FFF_FFFF;

    /// <summary>Exact.</summary>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    public static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        var isNaN = (bits & Magnitude) > Infinity;
        var rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;

        // A payload that lives in the dropped half would leave the pattern of infinity: set the quiet bit instead.
        var nan = (bits >> 16) | ((bits & 0x007F_0000) == 0 ? 0x40u : 0u);
        return (ushort)(isNaN ? nan : rounded);
    }

    /// <summary>Rounded once: through binary32 with round-to-odd, whose extra 16 bits decide every tie as the double would.</summary>
    public static ushort FromDouble(double value)
    {
        var single = (float)value;
        if (single == value || double.IsNaN(value))
        {
            return FromSingle(single);
        }

        // The float neighbour nearer to zero, with its last bit set because something was cut off (sticky bit).
        if (Math.Abs((double)single) > Math.Abs(value))
        {
            single = single > 0 ? MathF.BitDecrement(single) : MathF.BitIncrement(single);
        }

        return FromSingle(BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(single) | 1));
    }

    /// <summary>Widens each element; exact.</summary>
    public static void ToSingle(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        Guard(source.Length, destination.Length);
        var target = MemoryMarshal.Cast<float, uint>(destination);
        var width = Vector<ushort>.Count;
        var i = 0;
        for (; i <= source.Length - width; i += width)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out var low, out var high);
            (low << 16).CopyTo(target[i..]);
            (high << 16).CopyTo(target[(i + (width / 2))..]);
        }

        for (; i < source.Length; i++)
        {
            target[i] = (uint)source[i] << 16;
        }
    }

    /// <summary>Narrows each element; to nearest, ties to even.</summary>
    public static void FromSingle(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        Guard(source.Length, destination.Length);
        var bits = MemoryMarshal.Cast<float, uint>(source);
        var width = Vector<ushort>.Count;
        var i = 0;
        for (; i <= source.Length - width; i += width)
        {
            var low = Narrow(new Vector<uint>(bits[i..]));
            var high = Narrow(new Vector<uint>(bits[(i + (width / 2))..]));
            Vector.Narrow(low, high).CopyTo(destination[i..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = FromSingle(source[i]);
        }
    }

    private static Vector<uint> Narrow(Vector<uint> bits)
    {
        var isNaN = Vector.GreaterThan(bits & new Vector<uint>(Magnitude), new Vector<uint>(Infinity));
        var upper = bits >> 16;
        var rounded = (bits + new Vector<uint>(0x7FFF) + (upper & Vector<uint>.One)) >> 16;
        var isLost = Vector.Equals(bits & new Vector<uint>(0x007F_0000), Vector<uint>.Zero);
        var nan = upper | (isLost & new Vector<uint>(0x40));
        return Vector.ConditionalSelect(isNaN, nan, rounded);
    }

    private static void Guard(int source, int destination)
    {
        if (source != destination)
        {
            throw new ArgumentException($"{source} elements do not fit {destination} places; lengths must agree.");
        }
    }
}
