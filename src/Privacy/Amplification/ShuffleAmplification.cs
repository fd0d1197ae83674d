using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>
/// The central guarantee of a batch of n reports that were each randomised with ε₀ and then permuted uniformly by a trusted shuffler.
/// </summary>
/// <remarks>
/// Replace-one on the batch: any one report exchanged. Every bound is an upper bound of ε at δ and never above ε₀; outside the range in
/// which a closed form is proven it refuses. The exact ones cost O(√n) per evaluation and about a dozen evaluations: a few milliseconds
/// at n = 10⁶. n counts honest reports that certainly are in the batch: the enforced minimum batch size less the users assumed corrupted.
/// </remarks>
public static class ShuffleAmplification
{
    private const double Precision = 1e-10;

    /// <summary>Upper bound of the smallest ε at δ.</summary>
    /// <param name="bound">Which theorem.</param>
    /// <param name="randomizer">What each client applies to its report.</param>
    /// <param name="reports">n, at least 1.</param>
    /// <param name="delta">δ in (0, 1).</param>
    /// <exception cref="PrivacyException">A parameter is out of range, or the theorem's premise does not hold.</exception>
    public static double Epsilon(ShuffleBound bound, LocalRandomizer randomizer, long reports, double delta)
    {
        Check(randomizer, reports);
        if (!(delta is > 0 and < 1))
        {
            throw new PrivacyException($"δ must lie strictly between 0 and 1, but is {delta}; with δ = 0 shuffling amplifies nothing.");
        }

        var epsilon0 = randomizer.Epsilon;
        return bound switch
        {
            ShuffleBound.Fmt23 => Solve(ClonePair.VariationRatio(randomizer, reports).Delta, epsilon0, delta),
            ShuffleBound.Fmt21 => Solve(ClonePair.Clones2021(epsilon0, reports).Delta, epsilon0, delta),
            ShuffleBound.BlanketHoeffding => Solve(e => PrivacyBlanket.Hoeffding(randomizer, reports, e), epsilon0, delta),
            ShuffleBound.BlanketBennett => Solve(e => PrivacyBlanket.Bennett(randomizer, reports, e), epsilon0, delta),
            ShuffleBound.Fmt23Closed => Math.Min(epsilon0, ShuffleClosedForms.Clones2023(epsilon0, reports, delta)),
            ShuffleBound.Fmt21Closed => Math.Min(epsilon0, ShuffleClosedForms.Clones2021(epsilon0, reports, delta)),
            _ => Math.Min(epsilon0, ShuffleClosedForms.Efmrtt(epsilon0, reports, delta)),
        };
    }

    /// <summary>Upper bound of the smallest δ at ε; only for the bounds that are functions of ε.</summary>
    /// <exception cref="PrivacyException">A parameter is out of range, or the bound is a closed form of ε.</exception>
    public static double Delta(ShuffleBound bound, LocalRandomizer randomizer, long reports, double epsilon)
    {
        Check(randomizer, reports);
        if (!(epsilon >= 0))
        {
            throw new PrivacyException($"ε must be zero or more, but is {epsilon}.");
        }

        return epsilon >= randomizer.Epsilon ? 0 : bound switch
        {
            ShuffleBound.Fmt23 => ClonePair.VariationRatio(randomizer, reports).Delta(epsilon),
            ShuffleBound.Fmt21 => ClonePair.Clones2021(randomizer.Epsilon, reports).Delta(epsilon),
            ShuffleBound.BlanketHoeffding => PrivacyBlanket.Hoeffding(randomizer, reports, epsilon),
            ShuffleBound.BlanketBennett => PrivacyBlanket.Bennett(randomizer, reports, epsilon),
            _ => throw new PrivacyException($"The bound {bound.Name()} gives ε for a δ, not δ for an ε: use fmt23."),
        };
    }

    /// <summary>The largest ε₀ of a generic randomiser whose shuffled batch is (ε, δ)-DP.</summary>
    /// <param name="bound">Which theorem.</param>
    /// <param name="reports">n, at least 1.</param>
    /// <param name="epsilon">ε, positive.</param>
    /// <param name="delta">δ in (0, 1).</param>
    public static double LocalEpsilon(ShuffleBound bound, long reports, double epsilon, double delta)
    {
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
        {
            throw new PrivacyException($"A target ε must be positive and finite, but is {epsilon}.");
        }

        bool TooMuch(double epsilon0)
        {
            try
            {
                return Epsilon(bound, LocalRandomizer.Generic(epsilon0), reports, delta) > epsilon;
            }
            catch (PrivacyException) when (epsilon0 > epsilon)
            {
                // Beyond a closed form's premise nothing is certified.
                return true;
            }
        }

        // Without amplification ε₀ = ε holds.
        var high = 2 * epsilon;
        while (high < 50 && !TooMuch(high))
        {
            high *= 1.5;
        }

        var low = epsilon;
        for (var step = 0; step < 50 && high - low > 1e-9 * high; step++)
        {
            var middle = 0.5 * (low + high);
            (low, high) = TooMuch(middle) ? (low, middle) : (middle, high);
        }

        return low;
    }

    /// <summary>The guarantee of one shuffled batch.</summary>
    /// <param name="bound">Which theorem.</param>
    /// <param name="unit">What one report stands for.</param>
    /// <param name="randomizer">What each client applies to its report.</param>
    /// <param name="reports">n, at least 1.</param>
    /// <param name="delta">δ in (0, 1).</param>
    public static PrivacyGuarantee Guarantee(
        ShuffleBound bound, PrivacyUnit unit, LocalRandomizer randomizer, long reports, double delta) => new()
        {
            Epsilon = Epsilon(bound, randomizer, reports, delta),
            Delta = delta,
            Relation = new NeighbourRelation(unit, Adjacency.ReplaceOne),
            Trust = TrustModel.Shuffle,
            Accountant = bound.Name(),
            Assumptions = [.. Assumptions(randomizer, reports)],
        };

    internal static IEnumerable<string> Assumptions(LocalRandomizer randomizer, long reports)
    {
        yield return $"Each report is randomised on the device by {randomizer.Name} with ε₀ = {randomizer.Epsilon:G6} and δ₀ = 0; against a "
            + "shuffler that colludes with the analyser only this ε₀ remains.";
        yield return $"The batch holds at least {reports} reports of honest clients, one each, and is released whole.";
        yield return "The shuffler permutes the batch uniformly, strips everything that links a report to its sender, and keeps the permutation secret.";
    }

    private static double Solve(Func<double, double> deltaAt, double epsilon0, double delta)
    {
        if (deltaAt(0) <= delta)
        {
            return 0;
        }

        return MonotoneRoot.SmallestAtMost(deltaAt, delta, 0, epsilon0, Precision);
    }

    private static void Check(LocalRandomizer randomizer, long reports)
    {
        ArgumentNullException.ThrowIfNull(randomizer);
        if (reports < 1)
        {
            throw new PrivacyException($"Shuffling needs at least one report, but n = {reports}.");
        }
    }
}
