using System.Text.Json;
using Federated.Client.TorchSharp.Privacy;
using Federated.Client.Training;
using Federated.Protocol;
using Federated.Training;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp;

/// <summary>
/// A device's trainer with a module of its own: what an application gives to <see cref="FederatedClient"/> when its model is not one that a
/// plan can name. Model, loss, optimizer and data are the application's; the run gives parameters, work, seed and the rate's factor.
/// </summary>
/// <remarks>
/// The run's layout must be the module's, and its plan, where it has one, must name the trainer's objective: the server's half of SCAFFOLD
/// or FedDyn would be wrong otherwise. The rest of the plan describes built-in models and is not this trainer's. All of a task runs on the
/// calling thread.
/// </remarks>
public sealed class TorchClient : ITrainer, IDisposable
{
    private const int Chunk = 250;

    private readonly TorchTrainer trainer;
    private readonly LocalTrainingOptions local;
    private readonly DataSet data;
    private readonly int[] examples;
    private readonly DataSet? test;
    private readonly DpSgdOptions? privacy;

    /// <param name="model">Owned from now on.</param>
    /// <param name="options">How the client trains.</param>
    /// <param name="data">The set that <paramref name="examples"/> are indices into; of a torch dataset, its reader's <see cref="Data.TorchDatasetReader.Indices"/>.</param>
    /// <param name="examples">The client's training examples; all of the set when null.</param>
    /// <param name="test">Examples held out for the client's own evaluation, read as the training examples are; null to keep out of it.</param>
    public TorchClient(TorchModel model, TorchTrainingOptions options, DataSet data, int[]? examples = null, DataSet? test = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(data);
        (local, this.data, this.test) = (options.Local, data, test);
        this.examples = examples ?? [.. Enumerable.Range(0, data.Count)];
        privacy = options.Privacy;
        trainer = new TorchTrainer(model, options);
    }

    /// <summary>n_i; kept to oneself under differential privacy, which does not cover it.</summary>
    public double Examples => HidesCount ? 0 : examples.Length;

    private bool HidesCount => privacy is not null;

    public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(task);
        Check(task.Layout, task.Plan);
        var objective = trainer.Objective;
        var exchange = LocalExchange<float>.For(objective.ClientTensors, objective.ClientState, task.Layout.Count, task.FromServer, task.State);
        var result = trainer.Train(
            new LocalTask<float>
            {
                Start = task.Model,
                Data = data,
                Examples = examples,
                Steps = StepsOf(task.Work),
                Seed = task.Seed,
                RateFactor = task.RateFactor,
                Exchange = exchange,
                Cancellation = cancellation,
            },
            task.Delta,
            task.Report);
        foreach (var (name, values) in exchange.ToServer)
        {
            task.ToServer[name] = values;
        }

        // A training that diverged has left nothing to remember.
        foreach (var (name, values) in result.IsFinite ? exchange.PendingState : new Dictionary<string, Memory<float>>())
        {
            task.NextState[name] = values;
        }

        // Under differential privacy every client counts the same: how many examples it has is not protected by the noise.
        return new TrainingResult(HidesCount ? 1 : examples.Length, result.Steps, result.MeanLoss, result.StepWeight);
    }

    public EvaluationResult? Evaluate(EvaluationTask task, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(task);
        Check(task.Layout, task.Plan);
        if (test is null || test.Count == 0)
        {
            return null;
        }

        var sum = default(Evaluation);
        var features = new float[Chunk * test.FeatureCount];
        var labels = new int[Chunk];
        for (var start = 0; start < test.Count; start += Chunk)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] chunk = [.. Enumerable.Range(start, Math.Min(Chunk, test.Count - start))];
            MiniBatches<float>.Gather(test, chunk, features, labels);
            sum += trainer.Model.Evaluate(task.Model, new Batch<float>(features, labels, chunk.Length));
        }

        return new EvaluationResult(sum.Count, sum.Accuracy, sum.Loss);
    }

    public void Dispose() => trainer.Dispose();

    /// <summary>A pass over the examples is 1/q steps under differential privacy, in expectation: their number would tell how many examples there are.</summary>
    private int StepsOf(LocalWork work) => privacy is null || work.Steps > 0
        ? work.StepsFor(examples.Length, local.BatchSize)
        : Math.Max(1, (int)Math.Ceiling(work.Epochs / privacy.SamplingRate));

    private void Check(Aggregation.Parameters.ParameterLayout layout, JsonElement plan)
    {
        if (!trainer.Model.Layout.Equals(layout))
        {
            throw new TrainingException(
                $"The run's model ({Describe(layout)}) is not this client's module ({Describe(trainer.Model.Layout)}). Train the module that the run was created with.");
        }

        if (plan.ValueKind == JsonValueKind.Object && plan.TryGetProperty("objective", out var named)
            && (named.ValueKind == JsonValueKind.String ? named : named.TryGetProperty("kind", out var kind) ? kind : default) is { ValueKind: JsonValueKind.String } name
            && name.GetString() != trainer.Objective.Name)
        {
            throw new TrainingException($"The run's objective is '{name.GetString()}', this trainer's is '{trainer.Objective.Name}': the server would correct for something that did not happen. Set Local.Objective to the run's.");
        }
    }

    private static string Describe(Aggregation.Parameters.ParameterLayout layout) =>
        $"{layout.Count} values in {layout.Tensors.Length} tensors, first {(layout.Tensors.Length > 0 ? layout.Tensors[0].Name : "none")}";
}
