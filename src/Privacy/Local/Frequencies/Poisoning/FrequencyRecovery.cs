namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>
/// Takes the part of fake clients out of estimated frequencies by assuming how many there are and what they push. It repairs what detection leaves
/// and is as good as its two assumptions: a share assumed too high takes from honest items.
/// </summary>
/// <remarks>
/// After Sun, Zhang, Chen, Jiang, "LDPRecover: Recovering Frequencies from Poisoning Attacks against Local Differential Privacy", ICDE 2024,
/// https://arxiv.org/abs/2403.09351, of which only the idea was at hand.
/// <code>
/// poisoned f̃ = (1 − β)·f + β·φ      φ what one fake adds on average: Σφ = M
/// targets T:  φ_v = M_T/|T| on T, (M − M_T)/(k − |T|) elsewhere;   f̂ = (f̃ − β·φ)/(1 − β), then onto the simplex
/// </code>
/// M = 1 for GRR and for unary reports of honest weight; M_T = r(1 − q)/(p − q) for reports that support all of T. Targets unknown: the items with a
/// positive estimate. Cost: O(k log k).
/// </remarks>
public static class FrequencyRecovery
{
    /// <summary>f̂, non-negative and summing to 1.</summary>
    /// <param name="oracle">The oracle.</param>
    /// <param name="poisoned">f̃, unbiased estimates over all reports.</param>
    /// <param name="share">β assumed, in [0, 1).</param>
    /// <param name="targets">T, or nothing where they are unknown.</param>
    public static double[] Recover(FrequencyOracle oracle, ReadOnlySpan<double> poisoned, double share, IReadOnlyCollection<int> targets)
    {
        ArgumentNullException.ThrowIfNull(oracle);
        ArgumentNullException.ThrowIfNull(targets);
        if (poisoned.Length != oracle.Items || !(share is >= 0 and < 1) || targets.Any(t => (uint)t >= (uint)oracle.Items))
        {
            throw new PrivacyException(
                $"Recovery needs {oracle.Items} estimates, a share of fakes in [0, 1) and targets among the items; there are {poisoned.Length}, {share} and {targets.Count}.");
        }

        var pushed = new bool[poisoned.Length];
        for (var v = 0; v < pushed.Length; v++)
        {
            pushed[v] = targets.Count > 0 ? targets.Contains(v) : poisoned[v] > 0;
        }

        var r = pushed.Count(p => p);
        var rest = poisoned.Length - r;
        var (total, onTargets) = (1.0, 1.0);
        if (targets.Count > 0 && oracle is not GeneralizedRandomizedResponse)
        {
            onTargets = r * (1 - oracle.FalseSupport) / (oracle.TrueSupport - oracle.FalseSupport);
            total = oracle is UnaryEncoding ? 1 : onTargets; // a hashed report supports each other value with probability q: it adds nothing to them
        }
        else if (targets.Count > 0)
        {
            onTargets = (1 - (r * oracle.FalseSupport)) / (oracle.TrueSupport - oracle.FalseSupport);
        }

        var recovered = new double[poisoned.Length];
        for (var v = 0; v < recovered.Length; v++)
        {
            var added = pushed[v] ? onTargets / r : rest > 0 ? (total - onTargets) / rest : 0;
            recovered[v] = (poisoned[v] - (share * added)) / (1 - share);
        }

        FrequencyPostprocessing.NormSub(recovered);
        return recovered;
    }
}
