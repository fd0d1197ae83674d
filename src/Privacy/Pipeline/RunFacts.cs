using Federated.Aggregation.ExampleWeights;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// What a run's strategy does that its guarantee depends on: filled in by the host, which knows the scheduler, the weights and the aggregator.
/// A policy refuses the combinations under which it could not keep its word.
/// </summary>
public sealed record RunFacts
{
    /// <value>d, parameters of the model.</value>
    public required int Dimension { get; init; }

    /// <value>Clients that could ever take part.</value>
    public required int Clients { get; init; }

    /// <value>Versions that the run plans to publish; 0 when it is open-ended.</value>
    public int PlannedReleases { get; init; }

    /// <value>Updates in a release, as planned: the cohort m, the goal K, or qN. Public.</value>
    public required double UpdatesPerRelease { get; init; }

    /// <value>
    /// What the run divides weighted sums by, over <see cref="LargestWeight"/>: public. 0 takes <see cref="UpdatesPerRelease"/>, a mean's.
    /// </value>
    public double Divisor { get; init; }

    /// <value>The largest weight that an update can have. Public; a host hands weights over as shares of it.</value>
    public double LargestWeight { get; init; } = 1;

    /// <value>The fewest updates that a release is ever made of.</value>
    public int LeastUpdatesPerRelease { get; init; } = 1;

    /// <value>How the scheduler really chooses who contributes.</value>
    public SamplingClaim Sampling { get; init; }

    /// <value>q, where the scheduler samples by coins.</value>
    public double SamplingProbability { get; init; }

    /// <value>True when an update's weight does not depend on the client's data: equal weights, or weights by staleness.</value>
    public bool WeightsArePublic { get; init; } = true;

    /// <value>True when all updates of a release weigh the same.</value>
    public bool WeightsAreEqual { get; init; } = true;

    /// <value>True when updates are combined by a sum or a mean, so that one update moves the result in proportion to its weight.</value>
    public bool AggregatesByMean { get; init; } = true;

    /// <value>
    /// True when how long a client works, or the number of steps that it tells, shows how many examples it holds: work given in epochs.
    /// </value>
    public bool WorkTellsExamples { get; init; }

    /// <value>K, local steps of every assignment; 0 when they are not the same for everybody, or not known in advance.</value>
    public int LocalSteps { get; init; }

    /// <value>The most updates of one sum, where sums are formed by cohorts: those invited to a round, or K.</value>
    public int MostUpdatesPerSession { get; init; }

    /// <value>True when a version is made of one cohort's updates, all from the version before.</value>
    public bool IsSynchronous { get; init; }

    /// <value>How updates weigh by their number of examples.</value>
    public ExampleWeight ExampleWeight { get; init; } = new EqualExampleWeight();

    /// <value>True when clients send vectors beside the delta (control variates and the like), which a policy would leave bare.</value>
    public bool SendsMoreThanTheUpdate { get; init; }
}
