using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Whole numbers of examples from shares.</summary>
internal static class Apportionment
{
    /// <summary>Sizes of all clients, summing to <paramref name="examples"/>.</summary>
    public static int[] Draw(string partitioner, ClientSizes options, int examples, int clients, SeededRandom random)
    {
        var minimum = options is SkewedSizes skewed ? skewed.MinExamples : 1;
        PartitionGuard.Require(partitioner, examples, clients, minimum);
        if (options is EqualSizes)
        {
            return Equal(examples, clients);
        }

        // Logarithms, shifted by the largest: exp(10·N(0, 1)) would overflow.
        var logWeights = new double[clients];
        for (var i = 0; i < clients; i++)
        {
            logWeights[i] = options switch
            {
                LogNormalSizes o => o.Sigma * random.NextNormal(),
                PowerLawSizes o => -Math.Log(random.NextPositive()) / (o.Exponent - 1),
                DirichletSizes o => random.NextLogGamma(o.Alpha),
                _ => throw new ArgumentOutOfRangeException(nameof(options), options, "Unknown sizes."),
            };
        }

        var sizes = LargestRemainder(Shares(logWeights), examples - (clients * minimum));
        for (var i = 0; i < clients; i++)
        {
            sizes[i] += minimum;
        }

        return sizes;
    }

    /// <summary>Sizes that differ by at most one, the larger first.</summary>
    public static int[] Equal(int total, int parts)
    {
        var sizes = new int[parts];
        var (size, larger) = Math.DivRem(total, parts);
        for (var i = 0; i < parts; i++)
        {
            sizes[i] = size + (i < larger ? 1 : 0);
        }

        return sizes;
    }

    /// <summary>exp(log weight), normalised to sum 1 without overflow.</summary>
    public static double[] Shares(double[] logWeights)
    {
        var max = logWeights.Max();
        var shares = Array.ConvertAll(logWeights, w => Math.Exp(w - max));
        var sum = shares.Sum();
        return Array.ConvertAll(shares, s => s / sum);
    }

    /// <summary>Hamilton's method: floors, and one more for the largest remainders (lower index first), so that the sum is exact.</summary>
    public static int[] LargestRemainder(ReadOnlySpan<double> shares, int total)
    {
        var sizes = new int[shares.Length];
        var remainders = new double[shares.Length];
        var left = total;
        for (var i = 0; i < shares.Length; i++)
        {
            sizes[i] = (int)(shares[i] * total);
            remainders[i] = (shares[i] * total) - sizes[i];
            left -= sizes[i];
        }

        foreach (var i in Enumerable.Range(0, sizes.Length).OrderByDescending(i => remainders[i]).ThenBy(i => i).Take(left))
        {
            sizes[i]++;
        }

        return sizes;
    }

    /// <summary>Cuts <paramref name="items"/> into consecutive pieces of the given sizes.</summary>
    public static int[][] Cut(ReadOnlySpan<int> items, ReadOnlySpan<int> sizes)
    {
        var pieces = new int[sizes.Length][];
        var start = 0;
        for (var i = 0; i < sizes.Length; i++)
        {
            pieces[i] = items.Slice(start, sizes[i]).ToArray();
            start += sizes[i];
        }

        return pieces;
    }
}
