using Federated.Privacy.Clipping;

namespace Federated.Privacy.Bandits;

/// <summary>What one user contributes, as one vector: xxᵀ (upper triangle, off-diagonal entries × √2, so that norms are Frobenius's), then x·r.</summary>
/// <remarks>With ‖x‖ ≤ 1 and |r| ≤ 1 its norm is at most √2, and two users' are at most √(2 + 4) = √6 apart.</remarks>
public static class BanditStatistics
{
    /// <summary>Δ: the largest norm of a user's vector.</summary>
    public static double Bound { get; } = Math.Sqrt(2);

    /// <summary>The largest distance between two users' vectors.</summary>
    public static double Sensitivity { get; } = Math.Sqrt(6);

    /// <summary>d(d + 1)/2 + d.</summary>
    public static int Length(int dimension) => (dimension * (dimension + 1) / 2) + dimension;

    /// <summary>Overwrites <paramref name="statistics"/> with a user's vector.</summary>
    /// <param name="features">x; scaled down to norm 1 where it is longer, zero where it is not finite.</param>
    /// <param name="reward">r; clamped to [−1, 1], zero where it is not a number.</param>
    /// <param name="statistics"><see cref="Length"/> numbers.</param>
    public static void Write(ReadOnlySpan<double> features, double reward, Span<double> statistics)
    {
        if (statistics.Length != Length(features.Length))
        {
            throw new PrivacyException($"{features.Length} features make {Length(features.Length)} statistics; there is room for {statistics.Length}.");
        }

        Span<double> x = features.Length <= 128 ? stackalloc double[features.Length] : new double[features.Length];
        features.CopyTo(x);
        L2Clip.Apply(x, 1.0, maxThreads: 1);
        var r = double.IsNaN(reward) ? 0 : Math.Clamp(reward, -1, 1);
        var next = 0;
        for (var i = 0; i < x.Length; i++)
        {
            statistics[next++] = x[i] * x[i];
            for (var j = i + 1; j < x.Length; j++)
            {
                statistics[next++] = Math.Sqrt(2) * x[i] * x[j];
            }
        }

        for (var i = 0; i < x.Length; i++)
        {
            statistics[next++] = x[i] * r;
        }
    }

    /// <summary>Σ xxᵀ of a sum of users' vectors.</summary>
    public static double[][] Matrix(ReadOnlySpan<double> sum, int dimension)
    {
        var matrix = Enumerable.Range(0, dimension).Select(_ => new double[dimension]).ToArray();
        var next = 0;
        for (var i = 0; i < dimension; i++)
        {
            matrix[i][i] = sum[next++];
            for (var j = i + 1; j < dimension; j++)
            {
                matrix[i][j] = matrix[j][i] = sum[next++] / Math.Sqrt(2);
            }
        }

        return matrix;
    }

    /// <summary>Σ x·r of a sum of users' vectors.</summary>
    public static double[] Vector(ReadOnlySpan<double> sum, int dimension) => sum[^dimension..].ToArray();
}
