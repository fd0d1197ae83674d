using System.Globalization;
using System.Numerics;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation.Serving;

/// <summary>An experiment that has been checked for being served: its parts can be made any number of times.</summary>
internal sealed class ServedExperiment : IServedRun
{
    private const string Unencoded = "safetensors";

    private readonly FederatedData? data;
    private readonly ITrainerFactory? engine;
    private readonly int clients;

    private ServedExperiment(ExperimentConfiguration configuration, FederatedData? data, ITrainerFactory? engine)
    {
        (Configuration, this.data, this.engine) = (configuration, data, engine);
        clients = configuration.Clients.Count > 0 ? configuration.Clients.Count : data?.Clients.Count ?? 0;
        Plan = new ClientPlan
        {
            Precision = configuration.Precision,
            Model = configuration.Model!,
            ExampleShape = data?.Train.ExampleShape ?? configuration.Input!.Shape,
            Classes = data?.Train.Classes ?? configuration.Input!.Classes,
            BatchSize = configuration.Training.BatchSize,
            Optimizer = ((LocalTraining)configuration.Training).Optimizer,
            Objective = configuration.Strategy.Objective,
            Compression = configuration.Strategy.Compression,
            Data = configuration.Data,
            Seed = configuration.Seed,
        };
    }

    public ExperimentConfiguration Configuration { get; }

    public ClientPlan Plan { get; }

    /// <summary>Names of the shufflers that reports pass.</summary>
    public IReadOnlyList<string> Shufflers => Configuration.Privacy is ShufflePrivacyOptions { Shufflers: var names } ? names : [];

    public string StrategyInWords => StrategyFactory.Describe(Configuration);

    public string DataInWords => data is null
        ? "The clients' own; the coordinator has none."
        : string.Create(CultureInfo.InvariantCulture, $"The coordinator evaluates on {data.Test.Count} test examples of '{data.Train.Name}' in {data.Train.Classes} classes; clients train on their own.");

    public PrivacyStatement Privacy { get; private set; } = PrivacyStatement.None(StatementSetting.Served);

    public string ModelInWords => ConfigWords.KindOf(Configuration.Model!);

    /// <summary>Fills in what follows from other options.</summary>
    public static ExperimentConfiguration Resolve(ExperimentConfiguration configuration) => ExperimentGuard.Resolve(configuration) with { Threads = 1 };

    /// <exception cref="SimulationException">The configuration cannot be served; the message says what to change.</exception>
    public static ServedExperiment Prepare(ExperimentConfiguration configuration, string dataDirectory, IReadOnlyList<ITrainerFactory> engines)
    {
        var resolved = Resolve(configuration);
        Check(resolved);
        var engine = ExperimentGuard.Engine(resolved, engines);
        var data = resolved.Data is { } options ? FederatedDataFactory.Create(options, dataDirectory, resolved.Seed) : null;
        var clients = resolved.Clients.Count > 0 ? resolved.Clients.Count : data?.Clients.Count ?? int.MaxValue;
        ExperimentGuard.CheckServed(resolved, data, clients);
        var experiment = new ServedExperiment(resolved, data, engine);
        var d = experiment.CreateTrainer<float>().Model.Layout.Count;
        experiment.Privacy = resolved.Precision == NumberFormat.Float64 ? experiment.DescribePrivacy<double>(d) : experiment.DescribePrivacy<float>(d);
        return experiment;
    }

    /// <summary>Fresh parts, as for a new run.</summary>
    public RunParts CreateParts(IBlobStore blobs) =>
        Configuration.Precision == NumberFormat.Float64 ? CreateParts<double>(ElementType.F64, blobs) : CreateParts<float>(ElementType.F32, blobs);

    private static void Check(ExperimentConfiguration configuration)
    {
        if (configuration.Training is not LocalTraining || configuration.Model is null)
        {
            throw new SimulationException("Real clients train: a run that is served needs a model section and training of kind local.");
        }

        if (configuration.Data is null && configuration.Input is null)
        {
            throw new SimulationException(
                "The coordinator must know what an example looks like. Add a data section that it can load too, or input: { shape: [13], classes: 2 } when only clients have data.");
        }

        if (configuration.Clients.Attack is not NoAttack)
        {
            throw new SimulationException("clients.attack makes simulated clients misbehave; it cannot be asked of real ones. Remove it.");
        }

        if (configuration.Privacy is ShufflePrivacyOptions { Shufflers.Count: 0 })
        {
            throw new SimulationException(
                "Shuffle privacy rests on a shuffler between clients and coordinator, and privacy.shufflers names none. Register one that somebody else runs (fed shufflers add) and name it, "
                + "choose a central or a local policy, or simulate the run.");
        }

        if (configuration.Privacy is ShufflePrivacyOptions && configuration.Strategy.Scheduler is not (SynchronousOptions or BufferedOptions))
        {
            throw new SimulationException("Batches of a shuffler are cohorts or buffers: a served shuffle run needs a synchronous or a buffered scheduler.");
        }

        if (configuration is { Privacy: ShufflePrivacyOptions, Strategy.Scheduler: BufferedOptions { Concurrency: var atOnce, AggregationGoal: var goal } } && atOnce < goal)
        {
            throw new SimulationException($"A batch of {goal} reports needs as many clients at work at once; concurrency is {atOnce}. Raise it, or lower aggregationGoal.");
        }

        if (configuration.Privacy is ExamplePrivacyOptions)
        {
            throw new SimulationException(
                "privacy: example is for simulated runs, and for programs that train with TorchClient: fed client has no such trainer, and a coordinator cannot see whether a client added its noise. "
                + "Choose a central or a local policy, or simulate the run.");
        }

        if (configuration.Privacy is not NoPrivacyOptions && configuration.Data is null && (configuration.Run.Stop.TargetAccuracy > 0 || configuration.Run.Stop.Patience > 0))
        {
            throw new SimulationException(
                "Scores on clients' own data would leave them without noise, so a run with a privacy policy has none, and cannot stop by them. Add a data section with test examples, or remove targetAccuracy and patience.");
        }

        if (configuration.Privacy is not NoPrivacyOptions && configuration.Clients.Count == 0 && configuration.Data is null)
        {
            throw new SimulationException("A privacy policy needs to know how many clients there are at most. Set clients.count.");
        }
    }

    private RunParts CreateParts<T>(ElementType format, IBlobStore blobs)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var trainer = CreateTrainer<T>();
        var (model, strategy) = (trainer.Model, Configuration.Strategy);
        var d = model.Layout.Count;
        var encoder = UpdateCodecs.CreateEncoder<T>(strategy.Compression, d);
        var isEncoded = encoder.Name != UpdateCodecs.NoFeedback || encoder.Codec.Name != UpdateCodecs.Identity;
        var plain = new SafetensorsWriter().Add<T>(model.Layout, new T[d], format).Length;
        var trainingSeed = RunComposition.TrainingSeed(Configuration.Seed);
        // One privacy and one memory for every model state that is made of this run: the host restores them into these objects.
        var privacy = Configuration.Privacy is NoPrivacyOptions ? null : PrivacyFactory.Create<T>(Configuration, d, clients, new ReleaseRandom(ReleaseRandom.NewKey()));
        var sums = privacy?.Policy.SecureSum;
        var protection = (sums is null ? ProtectionMessage.Of(Configuration.Privacy) : ProtectionMessage.Of(sums))?.ToJson();
        var memory = strategy.Aggregator is AnarchicMemoryOptions ? new StoredClientMemory<T>(blobs, d, CachedClientVectors) : null;
        ModelState<T> NewState() => RunComposition.CreateState(Configuration, RunComposition.Initial(model, Configuration.Seed), clients, privacy, memory);
        var observer = new RunObserver();
        return new RunParts
        {
            Observer = observer,
            Machine = new RunMachine(Configuration.Run, StrategyFactory.CreateScheduler(Configuration, observer), PrivacyFactory.CreateLimiter(privacy, Configuration, d, clients)),
            Model = new BlobModel<T>(model.Layout, NewState, format, isEncoded ? encoder.Codec : null, observer),
            Layout = model.Layout,
            Training = Plan.ToJson(),
            Shuffle = privacy is not null && Configuration.Privacy is ShufflePrivacyOptions shuffle ? TermsOf(shuffle, privacy.Facts, plain) : null,
            Codec = isEncoded ? encoder.Codec.Name : Unencoded,
            MaxUpdateBytes = Math.Max(plain + SafetensorsSlack, isEncoded ? encoder.Codec.MaximumWireSize(d) : 0),
            SecureSum = sums is null ? null : new SecureSumParts(sums, (sum, members, seed) => Decode<T>(sums, sum, members, seed, model.Layout, format)),
            UplinkVectors = NewState().UplinkNames.Count,
            ExpectedClients = Configuration.Clients.Count,
            Terms = assignment => new AssignmentTerms(
                RunComposition.TaskSeed(trainingSeed, assignment), RunComposition.RateFactor(Configuration, assignment.BaseVersion), protection),
            Evaluator = data is { Test.Count: > 0 } ? new TestSetEvaluator<T>(CreateTrainer<T>(), data) : null,
            // Under a policy nobody reports scores on its own data: they would leave it without noise.
            ClientEvaluation = data is { Test.Count: > 0 } || Configuration.Privacy is not NoPrivacyOptions ? null : new FederatedEvaluationOptions { Reports = Math.Clamp(clients, 1, 10) },
            Privacy = Privacy,
            Sections = [.. ((IRunSection?[])[privacy is null ? null : new PrivacySection<T>(privacy), memory]).OfType<IRunSection>()],
        };
    }

    /// <summary>The mean of a sum, in the form of an update.</summary>
    private static byte[] Decode<T>(SecureSumPlan plan, ReadOnlySpan<uint> sum, int members, ReadOnlySpan<byte> publicSeed, ParameterLayout layout, ElementType format)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var mean = new T[layout.Count];
        plan.CreateEncoding<T>().Decode(sum, members, publicSeed, mean);
        using var bytes = new MemoryStream();
        new SafetensorsWriter().Add<T>(layout, mean, format).WriteTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>How reports are batched: a batch is enough for a release, so that what is left of one never waits for another.</summary>
    private ShuffleTerms TermsOf(ShufflePrivacyOptions options, RunFacts facts, long plainBytes) => new()
    {
        Shufflers = options.Shufflers,
        Minimum = Math.Max(facts.LeastUpdatesPerRelease, options.MinBatch),
        Target = (int)Math.Ceiling(facts.UpdatesPerRelease),
        WindowSeconds = options.BatchSeconds,
        ReportBytes = checked((int)(plainBytes + ReportSlack)),
        Protection = ProtectionMessage.Of(options)!,
        IsByVersion = Configuration.Strategy.Scheduler is SynchronousOptions,
    };

    /// <summary>The statement that the run begins with.</summary>
    private PrivacyStatement DescribePrivacy<T>(int d)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var privacy = PrivacyFactory.Create<T>(Configuration, d, clients, new ReleaseRandom(ReleaseRandom.NewKey()));
        return privacy is null ? PrivacyStatement.None(StatementSetting.Served) : PrivacyStatement.Of(privacy.Policy, StatementSetting.Served with { Shufflers = Shufflers });
    }

    /// <summary>Vectors of clients that AFA-CS keeps in memory; the others are read from the store when their clients come.</summary>
    private const int CachedClientVectors = 64;

    /// <summary>Room in a report for another writer's header; all of a run are padded to one size.</summary>
    private const int ReportSlack = 1024;

    /// <summary>Other writers order and pad the header of a safetensors file as they like.</summary>
    private const int SafetensorsSlack = 64 << 10;

    private ILocalTrainer<T> CreateTrainer<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => engine is null
        ? new LocalTrainer<T>(ModelFactory.Create<T>(Plan.Model, Plan.ExampleShape, Plan.Classes), Plan.Training)
        : (ILocalTrainer<T>)engine.Create(Configuration.Trainer, Plan.Model, Plan.ExampleShape, Plan.Classes, Plan.Training);
}
