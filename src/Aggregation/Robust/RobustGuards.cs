namespace Federated.Aggregation.Robust;

/// <summary>What several rules need: checked options and index bookkeeping.</summary>
internal static class RobustGuards
{
    /// <summary>f, refused when negative or so large that the counts derived from it would overflow.</summary>
    public static int Byzantine(int value) => value is >= 0 and < 1 << 28
        ? value
        : throw new AggregationException($"The number of Byzantine updates to tolerate must be 0 or more (and below 2^28), it was {value}.");

    /// <summary>0 … n − 1.</summary>
    public static int[] Indices(int count)
    {
        var indices = new int[count];
        for (var i = 0; i < count; i++)
        {
            indices[i] = i;
        }

        return indices;
    }

    /// <summary>n coefficients: 1 for the chosen, 0 for the rest.</summary>
    public static double[] Ones(ReadOnlySpan<int> chosen, int count)
    {
        var coefficients = new double[count];
        foreach (var index in chosen)
        {
            coefficients[index] = 1;
        }

        return coefficients;
    }

    /// <summary>Every index but the chosen, ascending, with one reason.</summary>
    public static IReadOnlyList<(int Index, string Reason)> AllBut(ReadOnlySpan<int> chosen, int count, string reason)
    {
        var kept = Ones(chosen, count);
        var left = new List<(int, string)>(count - chosen.Length);
        for (var i = 0; i < count; i++)
        {
            if (kept[i] == 0)
            {
                left.Add((i, reason));
            }
        }

        return left;
    }
}
