using Federated.Privacy.Randomness;

namespace Federated.Privacy.Audit;

/// <summary>
/// One-run audit: m canaries, each put in by a fair coin, one run, and a score each; the highest scores are guessed in, the lowest out, and
/// the number of right guesses bounds ε from below (<see cref="OneRunBound"/>).
/// </summary>
/// <remarks>
/// Steinke, Nasr, Jagielski, NeurIPS 2023, Algorithm 1, https://arxiv.org/abs/2305.08846. For federated runs a canary is a client whose
/// clipped update points along its own coordinate (gradient canary), and its score the released model's component along it.
/// </remarks>
public static class CanaryAudit
{
    /// <summary>One run: releases with the given canaries in, then scores every canary, higher for "in".</summary>
    public delegate void ScoredRun(ReadOnlySpan<bool> included, Span<double> scores);

    /// <param name="mechanism">For the report.</param>
    /// <param name="claimedEpsilon">ε claimed, for one canary becoming zero or being left out.</param>
    /// <param name="delta">δ claimed.</param>
    /// <param name="canaries">m.</param>
    /// <param name="guesses">r, half of them "in"; the rest is abstained from.</param>
    /// <param name="confidence">Of the bound.</param>
    /// <param name="random">The coins.</param>
    /// <param name="run">The run.</param>
    public static AuditFinding Run(
        string mechanism, double claimedEpsilon, double delta, int canaries, int guesses, double confidence, IRandomSource random, ScoredRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (guesses < 2 || guesses > canaries || !(confidence is > 0 and < 1))
        {
            throw new PrivacyException(
                $"A canary audit needs 2 ≤ guesses ≤ canaries and a confidence in (0, 1); they are {guesses}, {canaries}, {confidence}.");
        }

        var included = new bool[canaries];
        foreach (ref var coin in included.AsSpan())
        {
            coin = random.NextBit();
        }

        var scores = new double[canaries];
        run(included, scores);
        var order = Enumerable.Range(0, canaries).OrderBy(i => scores[i]).ToArray();
        var each = guesses / 2;
        var correct = order[..each].Count(i => !included[i]) + order[^each..].Count(i => included[i]);
        var bound = OneRunBound.EpsilonLowerBound(canaries, 2 * each, correct, delta, 1 - confidence);
        return new AuditFinding(
            mechanism, "one-run", claimedEpsilon, delta, bound, confidence, canaries, $"{correct} of {2 * each} guesses right, {canaries} canaries");
    }
}
