using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.Robust;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Scheduling;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Pipeline;
using Federated.Simulation.Devices;
using Federated.Training.LocalObjectives;

namespace Federated.Simulation.Tests.Privacy;

/// <summary>What no policy could keep its word under is refused before anything is computed, and the sentence says why.</summary>
public static class RefusalTests
{
    private static readonly CentralPrivacyOptions Central = new() { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 2 } };
    private static readonly CentralPrivacyOptions Sampled = Central with { Sampling = SamplingClaim.FixedSize };
    private static readonly LocalPrivacyOptions Local = new();
    private static readonly ShufflePrivacyOptions Shuffle = new();
    private static readonly SecureSumOptions Sums = new();
    private static readonly DistributedPrivacyOptions Noised = new() { NoiseMultiplier = 1 };
    private static readonly StrategyOptions Sync = PrivateRun.Rounds.Strategy;
    private static readonly StrategyOptions Buffer = PrivateRun.Buffered.Strategy;
    private static readonly WeightedMeanOptions Sum = new() { Normalisation = Normalisation.None };
    private static readonly CompressionOptions TopK = new() { Codec = new TopKOptions { Ratio = 0.1 } };

    private static readonly ExperimentConfiguration Coins = PrivateRun.Rounds with { Strategy = Sync with { Scheduler = new PoissonOptions { Probability = 0.25 } } };

    private static ExperimentConfiguration With(StrategyOptions strategy) => PrivateRun.Rounds with { Strategy = strategy };

    private static ExperimentConfiguration With(ClientsOptions clients) => PrivateRun.Rounds with { Clients = clients };

    public static TheoryData<ExperimentConfiguration, PrivacyOptions, string> Unsound => new()
    {
        // Weights that tell of the data, or that noise cannot be scaled to.
        { With(Sync with { ExampleWeight = new LinearExampleWeight() }), Central, "number of examples, which is private" },
        { With(Sync with { ExampleWeight = new SquareRootExampleWeight() }), Local, "number of examples, which is private" },
        { With(Sync with { ExampleWeight = new LogarithmicExampleWeight() }), Shuffle, "number of examples, which is private" },
        { With(Buffer with { Aggregator = Sum, CorrectParticipation = true }), Central, "no bound known in advance" },
        { With(Buffer with { Aggregator = Sum, CorrectParticipation = true }), Shuffle, "equal weights" },
        { With(Buffer with { StalenessWeight = new PolynomialStaleness() }), Shuffle, "without staleness" },

        // Aggregators that one update moves further than its share.
        { With(Sync with { Aggregator = new MedianOptions() }), Central, "not a mean" },
        { With(Sync with { Aggregator = new FedNovaOptions() }), Central, "not a mean" },
        { With(Sync with { Aggregator = new TrimmedMeanOptions() }), Central with { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2 } }, "not a mean" },

        // Vectors beside the update.
        { With(Sync with { Objective = new ScaffoldOptions() }), Central, "beside the update" },
        { With(Sync with { Objective = new ScaffoldOptions() }), Local, "beside the update" },
        { With(Sync with { Objective = new ScaffoldOptions() }), Shuffle, "beside the update" },

        // Work that shows how much data a client has.
        { PrivateRun.Rounds with { Training = new LocalTraining { Epochs = 1 } }, Local, "training.steps" },
        { PrivateRun.Rounds with { Training = new LocalTraining { Epochs = 1 } }, Shuffle, "training.steps" },

        // Codecs on randomised reports.
        { With(Sync with { Compression = TopK }), Local, "strategy.compression" },
        { With(Sync with { Compression = TopK }), Shuffle, "strategy.compression" },

        // Sums that cannot be had of single updates, or hide nobody.
        { With(Sync with { Aggregator = new MedianOptions() }), Sums, "shows the server only their sum" },
        { With(Sync with { Aggregator = new TrimmedMeanOptions() }), Noised, "shows the server only their sum" },
        { With(Sync with { Aggregator = Sum }), Sums, "another divisor" },
        { With(Buffer with { StalenessWeight = new PolynomialStaleness() }), Sums, "strategy.stalenessWeight" },
        { With(Buffer) with { Run = PrivateRun.Rounds.Run with { MaxStaleness = 3 } }, Sums, "cannot be taken out of it" },
        { With(Sync with { Scheduler = new AnarchicOptions { AggregationGoal = 5 } }), Sums, "this scheduler forms none" },
        { With(Sync with { Compression = TopK }), Sums, "strategy.compression" },
        { With(Sync with { Objective = new ScaffoldOptions() }), Sums, "beside the update" },
        { With(Sync with { ExampleWeight = new LinearExampleWeight() }), Sums, "privacy.largestExamples" },
        { With(Sync with { ExampleWeight = new LinearExampleWeight() }), Noised, "number of examples, which is private" },
        { PrivateRun.Rounds with { Training = new LocalTraining { Epochs = 1 } }, Noised, "training.steps" },
        { PrivateRun.Rounds, Sums with { Scale = 1e9 }, "can wrap around" },
        { PrivateRun.Rounds, Noised with { Bits = 8, NoiseMultiplier = 0.02 }, "Raise privacy.bits" },
        { PrivateRun.Rounds, Noised with { NoiseMultiplier = 0 }, "neither a noise multiplier" },
        { With(Sync with { Scheduler = new SynchronousOptions { Cohort = 5, MinimumReports = 1, RoundDeadline = 9 } }), Sums with { Corrupted = 0.3 }, "nobody to hide among" },
        { With(Buffer with { Scheduler = new BufferedOptions { Concurrency = 12, AggregationGoal = 5, FlushPartial = true } }), Noised, "flushPartial" },

        // Releases of fewer updates than counted with.
        { With(Buffer with { Scheduler = new BufferedOptions { Concurrency = 12, AggregationGoal = 5, FlushPartial = true } }), Central, "flushPartial" },
        { With(Buffer with { Scheduler = new BufferedOptions { Concurrency = 12, AggregationGoal = 5, FlushPartial = true } }), Shuffle, "flushPartial" },
        { With(Sync with { Scheduler = new SynchronousOptions { Cohort = 5, MinimumReports = 1, RoundDeadline = 9 } }), Shuffle, "at least 2 honest reports" },
        { PrivateRun.Rounds, Shuffle with { MinBatch = 6 }, "batches of 6" },
        { PrivateRun.Rounds, Shuffle with { AssumedCorrupt = 4 }, "assumed corrupt" },
        { PrivateRun.Buffered with { Strategy = Buffer with { Scheduler = new FixedWindowOptions() } }, Central, "expectedCohort" },

        // Amplification that the scheduler does not give.
        { With(Buffer), Sampled, "does not sample so" },
        { PrivateRun.Rounds, Central with { Sampling = SamplingClaim.Poisson }, "does not sample so" },
        { With(Sync with { Scheduler = new SynchronousOptions { Cohort = 5, OverSelection = 0.4 } }), Sampled, "does not sample so" },
        { With(Sync with { Scheduler = new SynchronousOptions { Cohort = 5, RoundDeadline = 60, MinimumReports = 2 } }), Sampled, "does not sample so" },
        { With(new ClientsOptions { Connectivity = new InstantConnectivity { Dropout = 0.1 } }), Sampled, "does not sample so" },
        { With(new ClientsOptions { Availability = new DutyCycleAvailability { PeriodSeconds = 600, OnlineShare = 0.5 } }), Sampled, "does not sample so" },
        { PrivateRun.Rounds with { Run = PrivateRun.Rounds.Run with { CoolDown = 10 } }, Sampled, "does not sample so" },
        { PrivateRun.Rounds, Sampled with { MaxParticipations = 3 }, "exclude each other" },

        { Coins with { Run = PrivateRun.Rounds.Run with { CoolDown = 10 } }, Central with { Sampling = SamplingClaim.Poisson }, "does not sample so" },
        { Coins, Sampled, "does not sample so" },
        { Coins, Shuffle, "at least 2 honest reports" },

        // Patterns that noise was not scaled to, or that so few clients cannot keep.
        { PrivateRun.Rounds, Central with { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2 }, MaxParticipations = 3 }, "mechanism.maxParticipations" },
        { PrivateRun.Rounds, Central with { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2 }, Sampling = SamplingClaim.FixedSize }, "claims no sampling" },
        { PrivateRun.Rounds, Central with { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2 }, AdaptiveClipping = new AdaptiveClipOptions() }, "one clipping bound" },
        { PrivateRun.Rounds, Central with { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2, MinSeparation = 5 } }, "25 clients are needed" },
        { With(Buffer with { Scheduler = new BufferedOptions { Concurrency = 30, AggregationGoal = 25 } }), Central, "25 clients are needed" },
        { PrivateRun.Rounds.Endless(), Central with { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2 } }, "mechanism.steps" },

        // Budgets that nothing fits into, and noise that nothing says.
        { PrivateRun.Rounds, Central with { Epsilon = 0.01 }, "whole budget" },
        { PrivateRun.Rounds, Local with { Epsilon = 1 }, "whole budget" },
        { PrivateRun.Rounds.Endless(), Central with { Mechanism = new DpFedAvgOptions() }, "noiseMultiplier" },

        // Nothing to protect.
        { new ExperimentConfiguration { Training = new NoTraining(), Clients = new ClientsOptions { Count = 16 }, Run = PrivateRun.Rounds.Run }, Central, "nothing to protect" },
    };

    private static ExperimentConfiguration Endless(this ExperimentConfiguration run) =>
        run with { Run = run.Run with { Stop = new Coordinator.Runs.StopOptions { ClientUpdates = 100 } } };

    [Theory]
    [MemberData(nameof(Unsound))]
    public static void An_unsound_combination_is_refused_with_its_reason(ExperimentConfiguration run, PrivacyOptions policy, string reason)
    {
        Experiment.Prepare(run with { Privacy = new NoPrivacyOptions() }, "."); // It is the policy that makes it unsound.
        Assert.Contains(reason, (run with { Privacy = policy }).Refusal().Message, StringComparison.Ordinal);
    }

    public static TheoryData<ExperimentConfiguration, PrivacyOptions> Sound => new()
    {
        { With(Buffer with { StalenessWeight = new PolynomialStaleness() }), Central },
        { With(Buffer with { StalenessWeight = new PolynomialStaleness() }), Local },
        { With(Sync with { Aggregator = new MedianOptions() }), Local },
        { With(Sync with { Aggregator = new TrimmedMeanOptions() }), Shuffle },
        { With(Sync with { Objective = new FedProxOptions() }), Central },
        { With(Sync with { Objective = new FedDynOptions() }), Central },
        { With(Sync with { Compression = TopK }), Central },
        { PrivateRun.Rounds with { Training = new LocalTraining { Epochs = 1 } }, Central },
        { PrivateRun.Rounds, Sampled },
        { Coins, Central with { Sampling = SamplingClaim.Poisson } },
        { Coins with { Clients = new ClientsOptions { Connectivity = new InstantConnectivity { Dropout = 0.3 } } }, Central with { Sampling = SamplingClaim.Poisson } },
        { PrivateRun.Anarchic, Local },
    };

    [Theory]
    [MemberData(nameof(Sound))]
    public static void A_sound_one_runs(ExperimentConfiguration run, PrivacyOptions policy) =>
        Assert.Equal(2, run.With(policy, versions: 2).Start().Versions);
}
