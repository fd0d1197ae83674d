using Federated.Privacy.Accounting;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>
/// Amplification by Poisson sampling for a matrix mechanism C·x + z with correlated noise (DP-FTRL by factorisation), by conditional
/// composition. For experts: the bound is an upper bound under its premises, but no published implementation was there to compare with.
/// </summary>
/// <remarks>
/// <para>
/// Choquette-Choo, Ganesh, Steinke, Thakurta, "Privacy Amplification for Matrix Mechanisms" (MMCC), ICLR 2024,
/// https://arxiv.org/abs/2310.15526. Own derivation of the posterior bounds from the idea; validated at C = I, where it is DP-SGD at δ/2.
/// </para>
/// <para>
/// Except with probability δ/2, row i given the rows before is dominated by a Gaussian mixture with random sensitivity Σⱼ C_ij·Ber(p̃_ij),
/// where p̃_ij bounds the posterior probability that the unit took part in round j: with v_ij the part of column j above row i,
/// logit p̃_ij = logit p + (s_ij + z_q·σ·‖v_ij‖ − ‖v_ij‖²/2)/σ², s_ij an upper tail of Σ_j′ Ber(p)·⟨v_ij, v_ij′⟩ by Chernoff, and both tails at
/// δ/(4·m), m the number of entries with a non-zero v_ij. C ≥ 0 makes the bound hold for each coin whatever the other coins are. The rows compose at δ/2.
/// </para>
/// <para>Cost: O(n³) for the inner products and one privacy loss distribution per row; seconds at n = 64.</para>
/// </remarks>
public static class MatrixMechanismAmplification
{
    /// <summary>Name of the method, printed beside every number.</summary>
    public const string Method = "mmcc";

    private const double Interval = 1e-3;
    private const int Points = 96;

    /// <summary>ε of one run of the mechanism at δ.</summary>
    /// <param name="rows">C: lower-triangular rows, row i with i + 1 entries, all zero or more.</param>
    /// <param name="probability">p: each unit's probability of being in each round.</param>
    /// <param name="standardDeviation">σ of each entry of z, for contributions of norm at most 1.</param>
    /// <param name="relation">Unit and adjacency; add-remove or zero-out.</param>
    /// <param name="delta">δ in (0, 1).</param>
    /// <exception cref="PrivacyException">A premise does not hold: C has a negative entry or is not lower-triangular, or a parameter is out of range.</exception>
    public static PrivacyGuarantee Guarantee(
        IReadOnlyList<double[]> rows, double probability, double standardDeviation, NeighbourRelation relation, double delta)
    {
        var composed = new ComposedEvent(Events(rows, probability, standardDeviation, relation, delta));
        var accountant = new PldAccountant(new PldAccountantOptions { DiscretizationInterval = Interval });
        return new PrivacyGuarantee
        {
            Epsilon = accountant.Epsilon(composed, 0.5 * delta),
            Delta = delta,
            Relation = relation,
            Trust = TrustModel.Central,
            Accountant = Method,
            Assumptions =
            [
                $"Each unit is in each round independently with probability {probability:G6}, by coins that the adversary does not see.",
                "The factorisation has no negative entry, and its noise is drawn from cryptographic randomness and never revealed.",
                "The method is an own derivation of conditional composition; no author implementation was compared.",
            ],
        };
    }

    /// <summary>What dominates each row given the rows before, outside an event of probability δ/2.</summary>
    internal static IReadOnlyList<GaussianMixtureEvent> Events(
        IReadOnlyList<double[]> rows, double probability, double standardDeviation, NeighbourRelation relation, double delta)
    {
        Check(rows, probability, standardDeviation, delta);
        var tail = delta / (4 * Math.Max(1, Informed(rows)));
        return [.. Enumerable.Range(0, rows.Count).Select(i => Row(rows, i, probability, standardDeviation, relation, tail))];
    }

    private static GaussianMixtureEvent Row(
        IReadOnlyList<double[]> rows, int i, double probability, double sigma, NeighbourRelation relation, double tail)
    {
        var deviations = NormalDistribution.UpperQuantile(tail);
        var logit = Math.Log(probability) - LogSpace.Log1P(-probability);
        var sum = new RandomSensitivity();
        var products = new double[i + 1];
        for (var j = 0; j <= i; j++)
        {
            if (rows[i][j] == 0)
            {
                continue;
            }

            for (var other = 0; other <= i; other++)
            {
                products[other] = 0;
                for (var above = Math.Max(j, other); above < i; above++)
                {
                    products[other] += rows[above][j] * rows[above][other];
                }
            }

            var square = products[j];
            var shift = square == 0 ? 0
                : (UpperTail(products, probability, tail) + deviations * sigma * Math.Sqrt(square) - 0.5 * square) / (sigma * sigma);
            sum.Add(rows[i][j], probability == 1 ? 1 : Math.Min(1, 1 / (1 + Math.Exp(-(logit + shift)))));
        }

        sum.Limit(Points);
        return new GaussianMixtureEvent(
            relation, sigma, [.. sum.Points.Select(point => point.Value)], [.. sum.Points.Select(point => point.Mass)]);
    }

    /// <summary>Number of entries whose round earlier rows have already told something about; the others keep the prior and fail never.</summary>
    private static int Informed(IReadOnlyList<double[]> rows)
    {
        var seen = new bool[rows.Count];
        var count = 0;
        foreach (var row in rows)
        {
            for (var j = 0; j < row.Length; j++)
            {
                count += row[j] > 0 && seen[j] ? 1 : 0;
                seen[j] |= row[j] > 0;
            }
        }

        return count;
    }

    /// <summary>A value that Σ Ber(p)·a exceeds with probability at most the tail: the smaller of Chernoff's bound and the whole sum.</summary>
    private static double UpperTail(double[] values, double probability, double tail)
    {
        var largest = values.Max();
        var bound = GoldenSection.MinimizeLogValue(1e-3 / largest, 1e4 / largest, lambda =>
        {
            var sum = -Math.Log(tail);
            foreach (var value in values)
            {
                var x = lambda * value;
                sum += x > 30 ? x + Math.Log(probability + (1 - probability) * Math.Exp(-x)) : LogSpace.Log1P(probability * LogSpace.ExpM1(x));
            }

            return sum / lambda;
        });
        return Math.Min(bound, values.Sum());
    }

    private static void Check(IReadOnlyList<double[]> rows, double probability, double standardDeviation, double delta)
    {
        ArgumentNullException.ThrowIfNull(rows);
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Length != i + 1 || rows[i].Any(entry => !(entry >= 0 && double.IsFinite(entry))))
            {
                throw new PrivacyException(
                    $"Amplification of a matrix mechanism is proven for a lower-triangular C without negative entries; row {i} needs {i + 1} entries of "
                    + "zero or more. Use a factorisation with non-negative coefficients, or account without amplification.");
            }
        }

        if (rows.Count == 0 || !(probability is > 0 and <= 1) || !(standardDeviation > 0) || !(delta is > 0 and < 1))
        {
            throw new PrivacyException(
                "A matrix mechanism needs at least one round, p in (0, 1], positive noise and δ in (0, 1); "
                + $"there are {rows.Count} rounds, p = {probability}, σ = {standardDeviation}, δ = {delta}.");
        }
    }
}
