using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation.Compression.Feedback;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation.Engine;

/// <summary>What one thread owns: a trainer with its model, and buffers for evaluation. Serves any number of clients.</summary>
internal sealed class Worker<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IModel<T> model;
    private readonly FederatedData data;
    private readonly ILocalTrainer<T> trainer;
    private readonly Func<int, DataSet> trainingSet;
    private readonly IClientProtection<T>? protection;
    private T[] features = [];
    private int[] labels = [];

    /// <param name="trainingSet">The set that a client's examples are of, by client; the data's own when left out.</param>
    /// <param name="protection">What clients do to an update before it leaves them; null for nothing.</param>
    public Worker(ILocalTrainer<T> trainer, FederatedData data, Func<int, DataSet>? trainingSet = null, IClientProtection<T>? protection = null) =>
        (this.trainer, model, this.data, this.trainingSet, this.protection) = (trainer, trainer.Model, data, trainingSet ?? (_ => data.Train), protection);

    public ILocalObjective<T> Objective => trainer.Objective;

    public int ParameterCount => model.Layout.Count;

    /// <summary>Trains, protects the delta, and encodes it as it would travel.</summary>
    public LocalResult Train(TrainingJob<T> job)
    {
        var result = trainer.Train(
            new LocalTask<T>
            {
                Start = job.Version.Parameters,
                Data = trainingSet(job.Client),
                Examples = data.Clients[job.Client].Train,
                Steps = job.Steps,
                Seed = job.Seed,
                RateFactor = job.RateFactor,
                Exchange = job.Exchange,
            },
            job.Delta);
        if (protection is not null)
        {
            if (!result.IsFinite)
            {
                job.Delta.AsSpan().Clear();
            }

            using var random = SimulationRandom.Derive(job.Seed, "privacy");
            protection.Protect(job.Delta, random);
        }

        if (job.Encoder is { } encoder && (result.IsFinite || protection is not null))
        {
            encoder.EncodeTask<T>(job.Delta, job.Seed, job.Message);
        }

        return result;
    }

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
            TensorPrimitives.ConvertTruncating(set.Row(examples[i]), features.AsSpan(i * set.FeatureCount, set.FeatureCount));
            labels[i] = set.Labels[examples[i]];
        }

        return model.Evaluate(
            parameters,
            new Batch<T>(features.AsSpan(0, examples.Length * set.FeatureCount), labels.AsSpan(0, examples.Length), examples.Length));
    }
}
