using System.Security.Cryptography;
using System.Text;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>
/// Small runs of one-hot updates: assignment i adds 1 at coordinate i. The configuration is <c>buffered CONCURRENCY GOAL</c>, <c>synchronous COHORT</c>,
/// <c>momentum CONCURRENCY GOAL</c>, <c>nesterov CONCURRENCY GOAL</c>, <c>immediate CONCURRENCY</c>, <c>anarchic GOAL</c>, <c>fixed-window</c>, <c>poisson</c>, <c>compass</c>, or <c>private CONCURRENCY GOAL CAP CLIENTS [BUDGET]</c>, buffered with central noise.
/// </summary>
internal sealed class TestFactory : IRunFactory
{
    public const int Parameters = 64;

    public static ParameterLayout Layout { get; } = ParameterLayout.Of(("w", [Parameters]));

    public IRunEvaluator? Evaluator { get; init; }

    public FederatedEvaluationOptions? ClientEvaluation { get; init; }

    public double ClientTimeout { get; init; }

    public int ExpectedClients { get; init; }

    /// <summary>Of synchronous runs, whose rounds may then close without one of the cohort; 0 for none.</summary>
    public double RoundDeadline { get; init; }

    public ShuffleTerms? Shuffle { get; init; }

    public int Versions { get; init; } = 100_000;

    /// <summary>The model of the run that was made last.</summary>
    public BlobModel<double>? Last { get; private set; }

    public static ReadOnlyMemory<byte> Buffered(int concurrency, int goal) => Encoding.UTF8.GetBytes($"buffered {concurrency} {goal}");

    public static ReadOnlyMemory<byte> Synchronous(int cohort) => Encoding.UTF8.GetBytes($"synchronous {cohort}");

    public static ReadOnlyMemory<byte> Configuration(string text) => Encoding.UTF8.GetBytes(text);

    public static (BlobReference Reference, byte[] Bytes) OneHot(AssignmentId assignment, double value = 1)
    {
        var delta = new double[Parameters];
        delta[assignment.Value % Parameters] = value;
        using var bytes = new MemoryStream();
        new SafetensorsWriter().Add<double>(Layout, delta, ElementType.F64).WriteTo(bytes);
        return (new BlobReference(Convert.ToHexStringLower(SHA256.HashData(bytes.ToArray())), bytes.Length), bytes.ToArray());
    }

    public static UpdateSubmission Submission(Assignment lease, bool ready = false, double value = 1)
    {
        var (reference, bytes) = OneHot(lease.Id, value);
        return new UpdateSubmission(lease.Id, lease.Client, new UpdateReport { Examples = 10, LocalSteps = 5, Delta = reference }, ready)
        {
            Inline = [new InlineBlob(reference, bytes)],
        };
    }

    public RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs)
    {
        var words = Encoding.UTF8.GetString(configuration.Span).Split(' ');
        var work = new FixedWork(LocalWork.OfSteps(5));
        IScheduler scheduler = words switch
        {
            ["buffered", var concurrency, var goal] => new BufferedScheduler(
                new BufferedOptions { Concurrency = Number(concurrency), AggregationGoal = Number(goal) }, work, UpdateWeight.Equal),
            ["momentum" or "nesterov", var concurrency, var goal] => new BufferedScheduler(
                new BufferedOptions { Concurrency = Number(concurrency), AggregationGoal = Number(goal) }, work, UpdateWeight.Equal),
            ["private", var concurrency, var goal, _, _, ..] => new BufferedScheduler(
                new BufferedOptions { Concurrency = Number(concurrency), AggregationGoal = Number(goal) }, work, UpdateWeight.Equal),
            ["synchronous", var cohort] => new SynchronousScheduler(
                RoundDeadline > 0 ? new SynchronousOptions { Cohort = Number(cohort), RoundDeadline = RoundDeadline, MinimumReports = Number(cohort) - 1 } : new SynchronousOptions { Cohort = Number(cohort) }, work, UpdateWeight.Equal),
            ["immediate", var concurrency] => new ImmediateScheduler(new ImmediateOptions { Concurrency = Number(concurrency), Mixing = 1 }, work, UpdateWeight.Equal),
            ["anarchic", var goal] => new AnarchicScheduler(new AnarchicOptions { AggregationGoal = Number(goal) }, UpdateWeight.Equal),
            ["fixed-window"] => new FixedWindowScheduler(new FixedWindowOptions { Window = 0.1 }, work, UpdateWeight.Equal),
            ["poisson"] => new PoissonScheduler(new PoissonOptions { Probability = 0.5 }, work, UpdateWeight.Equal),
            ["compass"] => new CompassScheduler(new CompassOptions { MinSteps = 1, MaxSteps = 10 }, UpdateWeight.Equal),
            _ => throw new CoordinatorException($"'{words[0]}' is no test configuration."),
        };
        var options = new RunOptions { EvaluateEvery = 1, ClientTimeout = ClientTimeout, Stop = new StopOptions { Versions = Versions } };
        var privacy = PrivacyOf(words);
        var limiter = privacy is null ? null : new ParticipationLimiter(privacy.Policy.Limits, privacy.Facts.Clients, privacy.Facts.LeastUpdatesPerRelease, 1);
        var observer = new RunObserver();
        if (scheduler is IWatchableScheduler watchable)
        {
            watchable.Watcher = observer;
        }

        Last = new BlobModel<double>(
            Layout,
            () => new ModelState<double>(
                new double[Parameters], new WeightedMean<double>(Parameters, new WeightedMeanOptions { Normalisation = Normalisation.None }), OptimizerOf(words[0]), privacy: privacy),
            ElementType.F64, observer: observer);
        return TestParts.Of(new RunMachine(options, scheduler, limiter), Last, Layout) with
        {
            Observer = observer, Evaluator = Evaluator, ClientEvaluation = ClientEvaluation, ExpectedClients = ExpectedClients, Sections = privacy is null ? [] : [new PrivacySection<double>(privacy)],
            Privacy = privacy is null ? PrivacyStatement.None(StatementSetting.Served) : PrivacyStatement.Of(privacy.Policy, StatementSetting.Served), Shuffle = Shuffle,
        };
    }

    /// <summary>Null for the words of a run without a policy. Noise of twice the bound, and a cap instead of a budget.</summary>
    public static PrivateRelease<double>? PrivacyOf(string[] words) => words is not ["private", _, var goal, var cap, var clients, .. var budget] ? null : new PrivateRelease<double>(
        new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 2 }, MaxParticipations = Number(cap), Epsilon = budget is [var epsilon] ? Number(epsilon) : 0 },
        new RunFacts { Dimension = Parameters, Clients = Number(clients), UpdatesPerRelease = Number(goal), LeastUpdatesPerRelease = Number(goal) },
        new ReleaseRandom(ReleaseRandom.NewKey()));

    /// <summary>With β = 1/2, for which a few steps are exact.</summary>
    private static IServerOptimizer<double> OptimizerOf(string word) => word switch
    {
        "momentum" => new Momentum<double>(new MomentumOptions { Momentum = 0.5 }, Parameters),
        "nesterov" => new Nesterov<double>(new NesterovOptions { Momentum = 0.5 }, Parameters),
        _ => new SumOptimizer(),
    };

    private static int Number(string word) => int.Parse(word, System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Adds the pseudo-gradient, exactly.</summary>
internal sealed class SumOptimizer : IServerOptimizer<double>
{
    public string Name => "sum";

    public IReadOnlyDictionary<string, Memory<double>> State { get; } = new Dictionary<string, Memory<double>>();

    public void Step(Span<double> model, ReadOnlySpan<double> pseudoGradient)
    {
        for (var i = 0; i < model.Length; i++)
        {
            model[i] += pseudoGradient[i];
        }
    }
}
