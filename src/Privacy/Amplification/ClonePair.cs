using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>
/// The pair of distributions that dominates n shuffled reports of which one is exchanged: two counts, of which the other n − 1 users feed a
/// binomial number of "clones" into either by a fair coin, and the exchanged user one more into the first (P) or the second (Q).
/// </summary>
/// <remarks>
/// <para>
/// Feldman, McMillan, Talwar, "Hiding Among the Clones", FOCS 2021 (clone probability e^−ε₀) and "Stronger Privacy Amplification by
/// Shuffling for Rényi and Approximate Differential Privacy", SODA 2023 (2/(e^ε₀ + 1)); in the three-outcome form of Wang et al., VLDB 2024.
/// </para>
/// <para>
/// Notation: C ~ Bin(n − 1, 2r) clones; given C, A ~ Bin(C, ½) of them in the first count. The user adds (1, 0) with probability pα under P
/// and α under Q, (0, 1) the other way round, nothing with 1 − α − pα; p = e^ε₀, α = β/(p − 1). An outcome is (a, t): first count, total.
/// P(a, t) = Bin(t, ½)(a)·[Pr[C = t−1]·(2α/t)·(pa + t − a) + Pr[C = t]·(1 − α − pα)], and (P − Q)/(P + Q) =
/// (p − 1)(2a − t)/((p + 1)t + 2ρ(t)) with ρ the ratio of the two weights: the loss is a function of a and linear in t. Exchanging the
/// counts exchanges P and Q, so one direction suffices.
/// </para>
/// <para>Cost of δ(ε): O(√n), two binomial tails for each t, by recurrence. The probability of the t that are left out is added to δ.</para>
/// </remarks>
internal sealed class ClonePair
{
    private const double WindowDeviations = 9.5;

    private readonly long others;
    private readonly double clone;
    private readonly double p;
    private readonly double neither;
    private readonly CloneCounts counts;

    private ClonePair(long reports, double clone, double epsilon0, double totalVariation)
    {
        if (reports < 1)
        {
            throw new PrivacyException($"Shuffling needs at least one report, but got {reports}.");
        }

        others = reports - 1;
        this.clone = clone;
        Epsilon0 = epsilon0;
        p = Math.Exp(epsilon0);
        Alpha = totalVariation / LogSpace.ExpM1(epsilon0);
        // Exactly zero for the generic randomiser, where rounding would leave a trace.
        neither = totalVariation == Math.Tanh(0.5 * epsilon0) ? 0 : Math.Max(0, 1 - Alpha - p * Alpha);
        counts = Counts(WindowDeviations);
    }

    /// <value>ε₀, which also bounds every loss of the pair.</value>
    public double Epsilon0 { get; }

    /// <value>α: probability under P that the user adds to the second count.</value>
    public double Alpha { get; }

    public static ClonePair Clones2021(double epsilon0, long reports) =>
        new(reports, Math.Exp(-epsilon0), epsilon0, Math.Tanh(0.5 * epsilon0));

    public static ClonePair VariationRatio(LocalRandomizer randomizer, long reports) => new(
        reports,
        Math.Min(1, 2 * randomizer.TotalVariation / LogSpace.ExpM1(randomizer.Epsilon)),
        randomizer.Epsilon,
        randomizer.TotalVariation);

    /// <summary>Probabilities of the clone count within so many standard deviations of its mean.</summary>
    public CloneCounts Counts(double deviations) => CloneCounts.Of(others, clone, deviations);

    /// <summary>Probability that the user adds to neither count.</summary>
    public double Neither => neither;

    /// <summary>Upper bound of D_ε(P‖Q).</summary>
    public double Delta(double epsilon)
    {
        if (epsilon >= Epsilon0)
        {
            return 0;
        }

        var e = Math.Exp(epsilon);
        var oneMinusE = -LogSpace.ExpM1(epsilon);
        var scale = 1 / ((p - 1) * (1 + e));
        var winning = (e * p - 1) * scale;
        var penalty = -oneMinusE * scale;
        var sum = new CompensatedSum();
        sum.Add(counts.Outside);
        var walker = new HalfTail();
        // Totals t = C + 1 where the user adds one, t = C where it adds nothing; P > e^ε·Q from a = k upwards.
        for (var t = Math.Max(1, neither > 0 ? counts.First : counts.First + 1); t <= counts.Last + 1; t++)
        {
            var k = (long)Math.Floor(t * winning + SilentRatio(t) * penalty) + 1;
            walker.MoveTo(t - 1, k);
            var (above, at) = (walker.Tail, walker.Before);
            sum.Add(counts[t - 1] * Alpha * ((p - e) * at + (p + 1) * oneMinusE * above)
                + counts[t] * neither * oneMinusE * (above + 0.5 * at));
        }

        return Math.Clamp(sum.Value, 0, 1);
    }

    /// <summary>ρ(t) = Pr[C = t]·(1 − α − pα)·t/(2α·Pr[C = t − 1]).</summary>
    private double SilentRatio(long t) => neither == 0 ? 0 : neither * (others - t + 1) * clone / (2 * Alpha * (1 - clone));
}
