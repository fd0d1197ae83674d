using Federated.Privacy.Central;

namespace Federated.Privacy.Pipeline;

/// <summary>What every central policy asks of a run, and the defaults that it takes from it.</summary>
internal static class CentralSoundness
{
    /// <exception cref="PrivacyException">The combination is not sound.</exception>
    public static void Require(RunFacts facts)
    {
        if (!facts.AggregatesByMean)
        {
            throw new PrivacyException(
                "Central noise is scaled to how far one update can move a sum; the run's aggregator is not a mean, and one update may move it further. Use the mean aggregator.");
        }

        if (!facts.WeightsArePublic)
        {
            throw new PrivacyException(
                "Updates are weighted by their number of examples, which is private data of the clients and not bounded. Use equal weights (or weights by staleness).");
        }

        if (!double.IsFinite(facts.LargestWeight))
        {
            throw new PrivacyException(
                "An update's weight has no bound known in advance (it grows with the time since the client last took part), and noise must be scaled to the largest. Remove correctParticipation.");
        }

        if (facts.SendsMoreThanTheUpdate)
        {
            throw new PrivacyException(
                "The local objective sends vectors beside the update (control variates), which the policy would publish without noise. Use an objective that sends none.");
        }
    }

    /// <summary>The public divisor of sums.</summary>
    public static double Cohort(CentralMechanismOptions options, RunFacts facts) => options.ExpectedCohort > 0 ? options.ExpectedCohort
        : facts.Divisor > 0 ? facts.Divisor
        : facts.UpdatesPerRelease > 0 ? facts.UpdatesPerRelease
        : throw new PrivacyException("Central noise needs the public number of updates a release: set expectedCohort.");

    public static PrivacyException NeedsNoise(double epsilon) => new(
        $"The policy has neither a noise multiplier nor a bounded cost to derive one from (epsilon is {epsilon}): set noiseMultiplier, or epsilon together with a limit on participations or releases.");

    /// <summary>Weighs an update for a sum that one client moves by at most C: weights above 1 are refused.</summary>
    public static string? RefusalOfWeight(double weight) => weight is >= 0 and <= 1
        ? null
        : $"the update's weight is {weight}; under central noise it must be between 0 and 1";
}
