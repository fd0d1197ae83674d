using System.Globalization;
using Federated.Coordinator.Analytics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Privacy.Analytics;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;
using Federated.Simulation.Engine;

namespace Federated.Simulation.Serving;

/// <summary>A question to clients as a served run: each is asked once, and every version is the estimate from all reports so far.</summary>
internal sealed class ServedAnalysis : IServedRun
{
    private readonly PrivateAnalysis analysis;
    private readonly ShufflePrivacyOptions? shuffle;
    private readonly int batch;
    private readonly int fullBatch;

    private ServedAnalysis(ExperimentConfiguration configuration)
    {
        Configuration = configuration;
        analysis = PrivateAnalysis.Create(configuration.Analysis!);
        if (configuration.Privacy is ShufflePrivacyOptions options)
        {
            shuffle = options;
            (batch, fullBatch) = BatchOf(options);
            Privacy = AnalysisGuarantees.ShuffledStatement(analysis, batch, options.AssumedCorrupt, options.Delta, options.Shufflers);
        }
        else
        {
            Privacy = AnalysisGuarantees.Statement(analysis);
        }
    }

    public ExperimentConfiguration Configuration { get; }

    public string StrategyInWords => $"{analysis.Kind} by {(shuffle is null ? "local" : "shuffled")} reports × {StrategyFactory.Describe(Configuration with { Training = new NoTraining() })}";

    public string DataInWords => $"The clients' own; each answers '{analysis.Options.Question}' with one randomised report of {analysis.ReportBytes} bytes.";

    public string ModelInWords => string.Create(CultureInfo.InvariantCulture, $"no model but an estimate: {analysis.Kind} at ε₀ = {analysis.Epsilon:G4}, intervals of {analysis.Options.Confidence:P0}");

    public PrivacyStatement Privacy { get; }

    public IReadOnlyList<string> Shufflers => shuffle?.Shufflers ?? [];

    /// <exception cref="SimulationException">The configuration cannot be served; the message says what to change.</exception>
    public static ServedAnalysis Prepare(ExperimentConfiguration configuration)
    {
        if (configuration.Model is not null || configuration.Data is not null || configuration.Input is not null)
        {
            throw new SimulationException("A run either asks a question or trains a model: leave out data, input and model, or leave out analysis.");
        }

        if (configuration.Privacy is not (NoPrivacyOptions or ShufflePrivacyOptions))
        {
            throw new SimulationException(
                "The privacy of an analysis is that of its reports: set analysis.epsilon, and leave the privacy section out, or ask for a shuffler with privacy: { kind: shuffle, shufflers: [NAME] }.");
        }

        if (configuration.Privacy is ShufflePrivacyOptions asked)
        {
            CheckShuffle(asked);
        }

        if (configuration.Run.Stop.TargetAccuracy > 0 || configuration.Run.Stop.Patience > 0)
        {
            throw new SimulationException("An analysis has no accuracy to stop by: remove targetAccuracy and patience, and set clientUpdates, versions or seconds.");
        }

        return new ServedAnalysis(ServedExperiment.Resolve(configuration));
    }

    public RunParts CreateParts(IBlobStore blobs)
    {
        var section = new AnalysisSection(analysis, ReleaseRandom.NewKey(), Privacy);
        var plan = new AnalysisPlan(analysis.Options);
        var protection = AnalysisPlan.Protection(analysis, shuffle is not null);
        var step = protection.ToJson();
        var model = new AnalysisRun(analysis, section);
        return new RunParts
        {
            Machine = new RunMachine(Configuration.Run, StrategyFactory.CreateScheduler(Configuration), Limiter()),
            Model = model,
            Layout = model.Layout,
            Training = plan.ToJson(),
            Codec = AnalysisPlan.Codec,
            MaxUpdateBytes = analysis.ReportBytes,
            ExpectedClients = Configuration.Clients.Count,
            Terms = assignment => new AssignmentTerms(section.Coin(assignment.Client), 1, step),
            Shuffle = shuffle is null ? null : TermsOf(shuffle, protection),
            Privacy = Privacy,
            Sections = [section],
        };
    }

    private static void CheckShuffle(ShufflePrivacyOptions options)
    {
        var usual = new ShufflePrivacyOptions();
        if (options.Shufflers.Count == 0)
        {
            throw new SimulationException("Reports of an analysis can pass a shuffler only where privacy.shufflers names one. Register one that somebody else runs (fed shufflers add), and name it.");
        }

        if (options.ReportEpsilon != usual.ReportEpsilon || options.Randomizer != usual.Randomizer || options.ClipNorm != usual.ClipNorm || options.MaxParticipations != 0 || options.Epsilon != 0)
        {
            throw new SimulationException(
                "An analysis has one report a client, of analysis.epsilon and its own randomiser: leave reportEpsilon, randomizer, clipNorm, maxParticipations and epsilon out of the privacy section.");
        }
    }

    /// <summary>Reports of the smallest batch, for which ε is computed, and of a full one.</summary>
    /// <exception cref="SimulationException">The scheduler does not ask enough clients at once to fill one.</exception>
    private (int Least, int Full) BatchOf(ShufflePrivacyOptions options)
    {
        var (least, most, atOnce) = Configuration.Strategy.Scheduler switch
        {
            SynchronousOptions o when analysis.Groups == 1 => (o.MinimumReports > 0 ? o.MinimumReports : o.Cohort, o.Cohort, o.Cohort),
            BufferedOptions { FlushPartial: false } o => (o.AggregationGoal, o.AggregationGoal, o.Concurrency),
            _ => throw new SimulationException(analysis.Groups == 1
                ? "Batches of a shuffler are cohorts or buffers: a shuffled analysis needs a synchronous or a buffered scheduler, without flushPartial."
                : $"The {analysis.Kind} splits clients into {analysis.Groups} groups with a batch each: a shuffled one needs a buffered scheduler, without flushPartial."),
        };
        least = options.MinBatch > 0 ? options.MinBatch : least;
        var full = analysis.Groups == 1 ? Math.Max(least, most) : least;
        var needed = 1L + ((long)analysis.Groups * (full - 1));
        return atOnce >= needed ? (least, full) : throw new SimulationException(
            $"With {analysis.Groups} {(analysis.Groups == 1 ? "group" : "groups")} and batches of {full} reports, {needed} clients or more have to be asked at once for one to fill; {atOnce} are. Raise strategy.scheduler's "
            + "concurrency or cohort, or lower privacy.minBatch.");
    }

    /// <summary>Reports of different groups look different: each group has batches of its own, and a report hides among those.</summary>
    private ShuffleTerms TermsOf(ShufflePrivacyOptions options, ProtectionMessage protection) => new()
    {
        Shufflers = options.Shufflers,
        Minimum = batch,
        Target = fullBatch,
        WindowSeconds = options.BatchSeconds,
        ReportBytes = ReportEnvelope.LengthBytes + analysis.ReportBytes,
        Protection = protection,
        IsByVersion = Configuration.Strategy.Scheduler is SynchronousOptions,
        GroupOf = analysis.Groups > 1 ? coin => Ticket.OfCoin(coin, analysis.Groups).Group : null,
    };

    /// <summary>A client is asked once. The run is over when those who are left cannot fill another version.</summary>
    private ParticipationLimiter Limiter()
    {
        var (updates, clients) = Configuration.Strategy.Scheduler switch
        {
            SynchronousOptions o => (o.MinimumReports > 0 ? o.MinimumReports : o.Cohort, o.Cohort),
            BufferedOptions o => (o.FlushPartial ? 1 : o.AggregationGoal, 1),
            AnarchicOptions o => (o.AggregationGoal, 1),
            _ => (1, 1),
        };
        return new ParticipationLimiter(
            AnalysisGuarantees.OneReport, Configuration.Clients.Count > 0 ? Configuration.Clients.Count : int.MaxValue, updates, clients);
    }
}
