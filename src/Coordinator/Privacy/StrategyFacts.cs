using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Privacy;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;

namespace Federated.Coordinator.Privacy;

/// <summary>
/// From a strategy to what its privacy depends on: how many updates a release has, how they are weighted and divided, and whether the
/// scheduler really samples. Nothing here is taken on trust from the privacy options.
/// </summary>
public sealed record StrategyFacts
{
    public required SchedulerOptions Scheduler { get; init; }

    public required AggregatorOptions Aggregator { get; init; }

    public required ExampleWeight ExampleWeight { get; init; }

    public required StalenessWeight StalenessWeight { get; init; }

    public required RunOptions Run { get; init; }

    /// <summary>d, parameters of the model.</summary>
    public required int Dimension { get; init; }

    /// <summary>N, clients that could ever take part.</summary>
    public required int Clients { get; init; }

    /// <summary>Whether weights follow how often a client takes part.</summary>
    public bool CorrectParticipation { get; init; }

    /// <summary>Whether the objective sends vectors beside the update.</summary>
    public bool SendsMoreThanTheUpdate { get; init; }

    /// <summary>Whether work is given in epochs.</summary>
    public bool WorkIsInEpochs { get; init; }

    /// <summary>K, local steps of every assignment; 0 when they differ, or are not known in advance.</summary>
    public int LocalSteps { get; init; }

    /// <summary>Whether every client is there whenever a cohort is drawn, and finishes what it was given: only then is a cohort a uniform sample of all.</summary>
    public bool EverybodyIsAlwaysThere { get; init; }

    /// <summary>
    /// Whether nobody but the host can know who was drawn. A served run draws from its seed, which stands in its configuration, and who came is
    /// seen by those who take part: no sampling can be claimed there.
    /// </summary>
    public bool DrawsAreSecret { get; init; }

    /// <summary>Whether a client's work is set by its measured speed.</summary>
    public bool StepsFollowSpeed { get; init; }

    /// <summary>Whether clients remember something of the objective from one accepted update to the next.</summary>
    public bool ClientsRemember { get; init; }

    /// <summary>Whether updates are encoded with loss on their way up.</summary>
    public bool Compresses { get; init; }

    /// <summary>Clients that have to be there at once for a release.</summary>
    public int ClientsPerRelease => Scheduler is SynchronousOptions o ? (int)Math.Ceiling(o.Cohort * (1 + o.OverSelection)) : 1;

    /// <summary>The facts, for a policy to judge.</summary>
    /// <exception cref="PrivacyException">The strategy cannot be had with the policy; the message says why and what to change.</exception>
    public RunFacts For(PrivacyOptions policy)
    {
        if (policy is CentralPrivacyOptions or ShufflePrivacyOptions && Scheduler is BufferedOptions { FlushPartial: true })
        {
            throw new PrivacyException(
                "flushPartial makes a last release when the run ends, of fewer updates than the policy counts with and beyond the releases that it covers. Remove it.");
        }

        if (policy is RandomizedReportOptions && Compresses)
        {
            throw new PrivacyException(
                "A randomised report has a form and a size of its own, and the server checks its length; a lossy codec on top would break both. Remove strategy.compression.");
        }

        if (policy is SecureAggregationOptions)
        {
            CheckSums(policy);
        }

        var facts = Facts();
        var separation = policy switch
        {
            CentralPrivacyOptions { Mechanism: DpFtrlOptions ftrl } => ftrl.MinSeparation,
            CentralPrivacyOptions or ShufflePrivacyOptions or DistributedPrivacyOptions => 1,
            _ => 0,
        };
        var updates = (long)facts.LeastUpdatesPerRelease;
        var needed = separation == 0 ? 0 : Math.Max(ClientsPerRelease, updates) + (updates * (separation - 1));
        return needed <= Clients ? facts : throw new PrivacyException(
            $"A client takes part at most once in {(separation == 1 ? "a release" : $"{separation} releases")} of {updates} updates, so that {needed} clients are needed to go on; there are "
            + $"{Clients}. Use more clients, or lower {(separation == 1 ? "the updates of a release" : "mechanism.minSeparation")}.");
    }

    private RunFacts Facts()
    {
        var (updates, least) = UpdatesPerRelease();
        var largest = LargestWeight();
        return new RunFacts
        {
            Dimension = Dimension,
            Clients = Clients,
            PlannedReleases = Run.Stop.Versions,
            UpdatesPerRelease = updates,
            LeastUpdatesPerRelease = least,
            LargestWeight = largest,
            Divisor = Aggregator is not WeightedMeanOptions mean ? 0 : mean.Normalisation switch
            {
                Normalisation.None => 1 / largest,
                Normalisation.Divisor => mean.Divisor!.Value / largest,
                _ => updates,
            },
            Sampling = SamplesUniformly ? SamplingClaim.FixedSize : ThrowsCoins ? SamplingClaim.Poisson : SamplingClaim.None,
            SamplingProbability = Scheduler is PoissonOptions poisson ? poisson.Probability : 0,
            WeightsArePublic = ExampleWeight is EqualExampleWeight,
            WeightsAreEqual = ExampleWeight is EqualExampleWeight && !CorrectParticipation && (StalenessWeight is ConstantStaleness || Scheduler is SynchronousOptions or PoissonOptions),
            AggregatesByMean = Aggregator is WeightedMeanOptions,
            SendsMoreThanTheUpdate = SendsMoreThanTheUpdate,
            LocalSteps = Scheduler is AnarchicOptions or CompassOptions ? 0 : LocalSteps,
            WorkTellsExamples = WorkIsInEpochs && Scheduler is not (AnarchicOptions or CompassOptions),
            MostUpdatesPerSession = Scheduler switch
            {
                SynchronousOptions => ClientsPerRelease,
                BufferedOptions o => o.AggregationGoal,
                _ => 0,
            },
            IsSynchronous = Scheduler is SynchronousOptions,
            ExampleWeight = ExampleWeight,
        };
    }

    /// <summary>What needs single updates cannot be had where the server sees only their sum.</summary>
    private void CheckSums(PrivacyOptions policy)
    {
        if (Scheduler is not (SynchronousOptions or BufferedOptions))
        {
            throw new PrivacyException(
                "Secure aggregation sums the updates of a cohort, and this scheduler forms none. Choose strategy.scheduler synchronous, or buffered, whose buffer is a cohort.");
        }

        if (Aggregator is not WeightedMeanOptions { Normalisation: Normalisation.WeightSum or Normalisation.Count })
        {
            throw new PrivacyException(Aggregator is WeightedMeanOptions
                ? "Secure aggregation gives the mean of a cohort, divided by its weights; another divisor would need every update's own weight. Set strategy.aggregator to { kind: mean, normalisation: weight-sum }."
                : "The aggregator compares or remembers single updates (a median, a robust rule, a client's memory), and secure aggregation shows the server only their sum. Set strategy.aggregator to mean, or choose another privacy policy.");
        }

        if (StalenessWeight is not ConstantStaleness || CorrectParticipation)
        {
            throw new PrivacyException(
                "Weights by staleness or by participation scale each update at the server, which sees only the sum. Set strategy.stalenessWeight to constant, and leave correctParticipation out.");
        }

        if (Scheduler is BufferedOptions && Run.MaxStaleness >= 0)
        {
            throw new PrivacyException(
                "run.maxStaleness rejects single updates when they arrive, and what is in a sum cannot be taken out of it. Remove it, or lower strategy.scheduler.concurrency, which bounds staleness too.");
        }

        if (Compresses)
        {
            throw new PrivacyException("Sums are of words on a public grid, and a lossy codec on top would break them. Remove strategy.compression, and lower privacy.bits for shorter messages.");
        }

        if (ClientsRemember)
        {
            throw new PrivacyException("The local objective keeps a memory on each client that must follow its own accepted updates, and a sum's members learn only what became of the sum. Choose an objective without one.");
        }

        if (StepsFollowSpeed)
        {
            throw new PrivacyException("A step policy by speed measures each client's steps, which are not told with a sum. Set strategy.stepPolicy to fixed.");
        }

        if (policy is DistributedPrivacyOptions && Scheduler is BufferedOptions { FlushPartial: true })
        {
            throw new PrivacyException("flushPartial makes a last release when the run ends, of fewer updates than the noise is for. Remove it.");
        }
    }

    /// <summary>A cohort that never lacks nor replaces a member, drawn from everybody, is a uniform sample of fixed size.</summary>
    private bool SamplesUniformly => DrawsAreSecret && EverybodyIsAlwaysThere && Run is { ClientTimeout: 0, CoolDown: 0 }
        && Scheduler is SynchronousOptions { OverSelection: 0, RoundDeadline: 0 } o && (o.MinimumReports == 0 || o.MinimumReports == o.Cohort);

    /// <summary>Whoever is away takes part with less than q; only a rest after a round would make rounds depend on one another.</summary>
    private bool ThrowsCoins => DrawsAreSecret && Scheduler is PoissonOptions && Run.CoolDown == 0;

    private (double Planned, int Least) UpdatesPerRelease() => Scheduler switch
    {
        SynchronousOptions o => (o.Cohort, o.MinimumReports > 0 ? o.MinimumReports : o.Cohort),
        PoissonOptions o => (o.Probability * Clients, 0),
        BufferedOptions o => (o.AggregationGoal, o.FlushPartial ? 1 : o.AggregationGoal),
        AnarchicOptions o => (o.AggregationGoal, o.AggregationGoal),
        ImmediateOptions => (1, 1),
        _ => (0, 1),
    };

    private double LargestWeight() => CorrectParticipation ? double.PositiveInfinity : StalenessWeight.Of(0) * Scheduler switch
    {
        ImmediateOptions o => o.Mixing,
        CompassOptions o => o.Mixing / Clients,
        _ => 1,
    };
}
