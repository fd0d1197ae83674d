namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// How much fake clients can raise the estimates of chosen items: Σ over r targets of (estimate after − before), in expectation. A smaller ε
/// protects clients better and lets fakes gain more; a run that uses an oracle should show both.
/// </summary>
/// <remarks>
/// Cao, Jia, Gong, "Data Poisoning Attacks to Local Differential Privacy Protocols", USENIX Security 2021, Table 1,
/// https://arxiv.org/abs/1911.02046. β = m/(n + m) the share of fakes, f_T the targets' true total frequency.
/// </remarks>
public static class PoisoningGain
{
    /// <summary>Fakes send uniform elements of the report space.</summary>
    public static double RandomReport(string oracle, double share, int targets, int items, double targetFrequency) => oracle switch
    {
        FrequencyOracles.RandomizedResponse => share * (((double)targets / items) - targetFrequency),
        FrequencyOracles.OptimizedUnary => share * (targets - targetFrequency),
        FrequencyOracles.LocalHashing => -share * targetFrequency,
        _ => throw Unknown(oracle),
    };

    /// <summary>Fakes claim a random target and randomise it honestly: the same for every unbiased oracle.</summary>
    public static double RandomItem(double share, double targetFrequency) => share * (1 - targetFrequency);

    /// <summary>Fakes craft the report that supports the most targets.</summary>
    public static double Maximal(string oracle, double share, int targets, int items, double epsilon, double targetFrequency)
    {
        var lean = Math.Exp(epsilon) - 1;
        return oracle switch
        {
            FrequencyOracles.RandomizedResponse => (share * (1 - targetFrequency)) + (share * (items - targets) / lean),
            FrequencyOracles.OptimizedUnary or FrequencyOracles.LocalHashing =>
                (share * ((2 * targets) - targetFrequency)) + (2 * share * targets / lean),
            _ => throw Unknown(oracle),
        };
    }

    /// <summary>
    /// Fakes whose report supports S of r targets, whatever the oracle: β·((S − r·q)/(p − q) − f_T). Every row of the table above is this with its S.
    /// </summary>
    /// <param name="trueSupport">p.</param>
    /// <param name="falseSupport">q.</param>
    /// <param name="share">β.</param>
    /// <param name="supported">S, in expectation.</param>
    /// <param name="targets">r.</param>
    /// <param name="targetFrequency">f_T.</param>
    public static double Supporting(double trueSupport, double falseSupport, double share, double supported, int targets, double targetFrequency) =>
        share * (((supported - (targets * falseSupport)) / (trueSupport - falseSupport)) - targetFrequency);

    /// <summary>The maximal gain against local hashing when the server chooses every seed: S is the expected largest bucket of r targets in g.</summary>
    public static double AssignedSeed(double epsilon, double share, int targets, double targetFrequency)
    {
        var hashing = new LocalHashing(epsilon, 2);
        return Supporting(hashing.TrueSupport, hashing.FalseSupport, share, LargestBucket(targets, hashing.Buckets), targets, targetFrequency);
    }

    /// <summary>
    /// E[max load] of r balls in g bins, exactly: Pr[max ≤ m] = r!·[x^r](Σ_{j≤m} x^j/j!)^g / g^r, bin by bin as probabilities.
    /// </summary>
    /// <remarks>Cost: O(g·r³).</remarks>
    internal static double LargestBucket(int balls, int bins)
    {
        var expected = 0.0;
        for (var m = 0; m < balls; m++)
        {
            // left[i]: probability that i balls remain for the bins not yet filled, none of the filled ones above m.
            var left = new double[balls + 1];
            left[balls] = 1;
            for (var bin = bins; bin > 0; bin--)
            {
                var next = new double[balls + 1];
                for (var i = 0; i <= balls; i++)
                {
                    for (var j = 0; j <= Math.Min(i, m) && left[i] > 0; j++)
                    {
                        next[i - j] += left[i] * Numerics.BinomialDistribution.Pmf(j, i, 1.0 / bin);
                    }
                }

                left = next;
            }

            expected += 1 - left[0];
        }

        return expected;
    }

    private static PrivacyException Unknown(string oracle) => new(
        $"Gains are known for {FrequencyOracles.RandomizedResponse}, {FrequencyOracles.OptimizedUnary} and {FrequencyOracles.LocalHashing}, not for '{oracle}'.");
}
