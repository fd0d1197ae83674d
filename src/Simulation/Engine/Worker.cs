using System.Numerics;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation.Engine;

/// <summary>What one thread owns: a resident model, its trainer, and buffers for evaluation. Serves any number of clients.</summary>
internal sealed class Worker<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IModel<T> model;
    private readonly FederatedData data;
    private readonly LocalTrainer<T> trainer;
    private T[] features = [];
    private int[] labels = [];

    /// <exception cref="SimulationException">The objective exchanges more than model and delta.</exception>
    public Worker(IModel<T> model, LocalTrainingOptions options, FederatedData data)
    {
        (this.model, this.data, trainer) = (model, data, new LocalTrainer<T>(model, options));
        var objective = trainer.Objective;
        if (objective.ServerTensors.Count + objective.ClientState.Count + objective.ClientTensors.Count > 0)
        {
            throw new SimulationException(
                $"The objective '{objective.Name}' keeps state at clients or exchanges more than model and delta, which simulated clients cannot do yet. "
                + "Choose none or fedprox.");
        }
    }

    public int ParameterCount => model.Layout.Count;

    public LocalResult Train(TrainingJob<T> job) => trainer.Train(
        new LocalTask<T>
        {
            Start = job.Version.Parameters,
            Data = data.Train,
            Examples = data.Clients[job.Client].Train,
            Steps = job.Steps,
            Seed = job.Seed,
            RateFactor = job.RateFactor,
        },
        job.Delta);

    /// <summary>Sums over some examples of a set.</summary>
    /// <param name="examples">Indices into <paramref name="set"/>.</param>
    public Evaluation Evaluate(ReadOnlySpan<T> parameters, DataSet set, ReadOnlySpan<int> examples)
    {
        if (features.Length < examples.Length * set.FeatureCount)
        {
            features = new T[examples.Length * set.FeatureCount];
        }

        if (labels.Length < examples.Length)
        {
            labels = new int[examples.Length];
        }

        for (var i = 0; i < examples.Length; i++)
        {
            System.Numerics.Tensors.TensorPrimitives.ConvertTruncating(set.Row(examples[i]), features.AsSpan(i * set.FeatureCount, set.FeatureCount));
            labels[i] = set.Labels[examples[i]];
        }

        return model.Evaluate(
            parameters,
            new Batch<T>(features.AsSpan(0, examples.Length * set.FeatureCount), labels.AsSpan(0, examples.Length), examples.Length));
    }
}
