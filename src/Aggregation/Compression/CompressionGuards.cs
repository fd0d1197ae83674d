using System.Numerics;
using Federated.Aggregation.Parameters;

namespace Federated.Aggregation.Compression;

/// <summary>What several codecs need: the wire type of T, checked input, counts from ratios.</summary>
internal static class CompressionGuards
{
    /// <summary>The type in which T travels unshortened.</summary>
    public static ElementType WireType<T>() => typeof(T) == typeof(float)
        ? ElementType.F32
        : typeof(T) == typeof(double)
            ? ElementType.F64
            : throw new AggregationException($"Codecs encode float or double updates, not {typeof(T).Name}; convert them first.");

    /// <summary>Refuses an update that would poison the aggregate.</summary>
    public static void ThrowIfNotFinite<T>(ReadOnlySpan<T> update)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var index = Finite.FirstNonFinite(update);
        if (index >= 0)
        {
            throw new AggregationException($"Coordinate {index} of the update is {update[index]}; only finite updates can be encoded. Lower the learning rate or clip.");
        }
    }

    /// <summary>Refuses received values that are NaN or infinite.</summary>
    public static void ThrowIfReceivedNotFinite<T>(ReadOnlySpan<T> values, string what)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (!Finite.All(values))
        {
            throw new AggregationException($"The encoded update holds a {what} that is NaN or infinite; such updates are never added.");
        }
    }

    /// <summary>k = ⌈ratio·d⌉, at least 1, at most d; the factor lets 0.07·100 be 7 although it is 7.000000000000001 in binary.</summary>
    public static int Kept(double ratio, int dimension) =>
        dimension == 0 ? 0 : Math.Clamp((int)Math.Ceiling(ratio * dimension * (1 - 1e-12)), 1, dimension);

    public static double Ratio(double ratio, string codec) => ratio is > 0 and <= 1
        ? ratio
        : throw new AggregationException($"{codec} needs a Ratio of kept coordinates in (0, 1], it was {ratio}.");
}
