using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Federated.Aggregation;
using Federated.Coordinator;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Simulation.Configuration;
using Federated.Simulation.Configuration.Binding;
using Federated.Training;
using Federated.Training.LocalTraining;

namespace Federated.Simulation.Serving;

/// <summary>Makes served runs of experiment files: the same file runs in virtual time under <c>fed run</c>, and here with real clients.</summary>
/// <remarks>
/// The data section is for the coordinator's own test set, and for clients that stand in for one of its shards; where the coordinator has no
/// data, <c>input</c> says what an example looks like. <c>clients.count</c> is how many clients the run waits for before it begins; the
/// rest of the clients section describes simulated devices and does not apply to real ones. Thread-safe.
/// </remarks>
/// <param name="dataDirectory">Where known data sets stand, and against which relative paths are resolved.</param>
/// <param name="engines">What this build can train with beside the managed kernels.</param>
public sealed class ExperimentRunFactory(string dataDirectory, params IReadOnlyList<ITrainerFactory> engines) : IRunFactory, IRunConfigurations
{
    private readonly ConcurrentDictionary<string, Lazy<IServedRun>> prepared = new(StringComparer.Ordinal);

    public byte[] Read(string text, IReadOnlyList<string> sets)
    {
        var configuration = Parse(text, sets);
        return Guarded(() => Encoding.UTF8.GetBytes(ConfigWriter.Write(ServedExperiment.Resolve(configuration))));
    }

    public RunDescription Describe(ReadOnlyMemory<byte> configuration)
    {
        var experiment = ExperimentOf(configuration);
        var options = experiment.Configuration;
        return new RunDescription(
            options.Name, experiment.StrategyInWords, experiment.DataInWords, experiment.ModelInWords, experiment.Privacy) { Shufflers = experiment.Shufflers };
    }

    public RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs)
    {
        var experiment = ExperimentOf(configuration);
        return Guarded(() => experiment.CreateParts(blobs));
    }

    private static ExperimentConfiguration Parse(string text, IReadOnlyList<string> sets)
    {
        var result = ConfigurationFile.Read<ExperimentConfiguration>(text, "experiment", sets);
        return result.IsValid ? result.Value : throw new CoordinatorException(string.Join('\n', result.Errors));
    }

    private IServedRun ExperimentOf(ReadOnlyMemory<byte> configuration)
    {
        var key = Convert.ToHexStringLower(SHA256.HashData(configuration.Span));
        var experiment = prepared.GetOrAdd(key, (_, bytes) => new Lazy<IServedRun>(() => Guarded(() => Prepare(Parse(Encoding.UTF8.GetString(bytes.Span), [])))), configuration);
        try
        {
            return experiment.Value;
        }
        catch
        {
            prepared.TryRemove(key, out _); // What was missing may be there the next time.
            throw;
        }
    }

    private IServedRun Prepare(ExperimentConfiguration configuration) =>
        configuration.Analysis is null ? ServedExperiment.Prepare(configuration, dataDirectory, engines) : ServedAnalysis.Prepare(configuration);

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception refused) when (refused is SimulationException or TrainingException or AggregationException or PrivacyException)
        {
            throw new CoordinatorException(refused.Message, refused);
        }
    }
}
