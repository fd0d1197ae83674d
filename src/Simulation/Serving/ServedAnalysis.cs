using System.Globalization;
using Federated.Coordinator.Analytics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Storage;
using Federated.Privacy.Analytics;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;
using Federated.Simulation.Engine;

namespace Federated.Simulation.Serving;

/// <summary>A question to clients as a served run: each is asked once, and every version is the estimate from all reports so far.</summary>
internal sealed class ServedAnalysis : IServedRun
{
    private readonly PrivateAnalysis analysis;

    private ServedAnalysis(ExperimentConfiguration configuration)
    {
        Configuration = configuration;
        analysis = PrivateAnalysis.Create(configuration.Analysis!);
        Privacy = AnalysisGuarantees.Statement(analysis);
    }

    public ExperimentConfiguration Configuration { get; }

    public string StrategyInWords => $"{analysis.Kind} by local reports × {StrategyFactory.Describe(Configuration with { Training = new NoTraining() })}";

    public string DataInWords => $"The clients' own; each answers '{analysis.Options.Question}' with one randomised report of {analysis.ReportBytes} bytes.";

    public string ModelInWords => string.Create(CultureInfo.InvariantCulture, $"no model but an estimate: {analysis.Kind} at ε₀ = {analysis.Epsilon:G4}, intervals of {analysis.Options.Confidence:P0}");

    public PrivacyStatement Privacy { get; }

    public IReadOnlyList<string> Shufflers => [];

    /// <exception cref="SimulationException">The configuration cannot be served; the message says what to change.</exception>
    public static ServedAnalysis Prepare(ExperimentConfiguration configuration)
    {
        if (configuration.Model is not null || configuration.Data is not null || configuration.Input is not null)
        {
            throw new SimulationException("A run either asks a question or trains a model: leave out data, input and model, or leave out analysis.");
        }

        if (configuration.Privacy is not NoPrivacyOptions)
        {
            throw new SimulationException("The privacy of an analysis is that of its reports: set analysis.epsilon, and leave the privacy section out.");
        }

        if (configuration.Run.Stop.TargetAccuracy > 0 || configuration.Run.Stop.Patience > 0)
        {
            throw new SimulationException("An analysis has no accuracy to stop by: remove targetAccuracy and patience, and set clientUpdates, versions or seconds.");
        }

        return new ServedAnalysis(ServedExperiment.Resolve(configuration));
    }

    public RunParts CreateParts(IBlobStore blobs)
    {
        var section = new AnalysisSection(analysis, ReleaseRandom.NewKey());
        var plan = new AnalysisPlan(analysis.Options);
        var protection = AnalysisPlan.Protection(analysis).ToJson();
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
            Terms = assignment => new AssignmentTerms(section.Coin(assignment.Client), 1, protection),
            Privacy = Privacy,
            Sections = [section],
        };
    }

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
