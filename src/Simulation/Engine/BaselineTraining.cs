using System.Numerics;
using Federated.Aggregation.Randomness;
using Federated.Simulation.Results;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Engine;

/// <summary>
/// Training without federation, for comparison: from the same initial model, with the same optimizer and as many local steps as the run
/// accepted: each client alone does its own number of them, the pooled model does all of them.
/// </summary>
/// <remarks>The steps are cut into as many assignments as the run had versions, so that a learning-rate schedule runs its course.</remarks>
internal sealed class BaselineTraining<T>(
    Func<ILocalTrainer<T>> createTrainer, FederatedData data, LocalTrainingOptions options, ExperimentConfiguration configuration, int versions)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="workload">Evaluates.</param>
    /// <param name="initial">Makes the initial parameters.</param>
    /// <param name="steps">Accepted local steps by client.</param>
    public IReadOnlyList<BaselineScore> Run(TrainingWorkload<T> workload, Func<T[]> initial, long[] steps, CancellationToken cancellation)
    {
        var scores = new List<BaselineScore>();
        if (configuration.Baselines.Contains(Baseline.Local))
        {
            var trained = new T[data.Clients.Count][];
            Parallel.For(
                0, trained.Length, new ParallelOptions { MaxDegreeOfParallelism = configuration.Threads },
                createTrainer,
                (client, _, trainer) =>
                {
                    trained[client] = Train(trainer, initial(), data.Clients[client].Train, steps[client], client, cancellation);
                    return trainer;
                },
                _ => { });
            for (var client = 0; client < trained.Length; client++)
            {
                scores.Add(Score(workload, "local", client, data.Clients[client].Name, steps[client], trained[client]));
            }
        }

        if (configuration.Baselines.Contains(Baseline.Pooled))
        {
            var everybody = data.Clients.SelectMany(c => c.Train).ToArray();
            var trained = Train(createTrainer(), initial(), everybody, steps.Sum(), -1, cancellation);
            scores.Add(Score(workload, "pooled", -1, "pooled", steps.Sum(), trained));
        }

        return scores;
    }

    private T[] Train(ILocalTrainer<T> trainer, T[] parameters, int[] examples, long steps, int client, CancellationToken cancellation)
    {
        var delta = new T[parameters.Length];
        var parts = Math.Max(1, versions);
        for (var part = 0; part < parts && !cancellation.IsCancellationRequested; part++)
        {
            var share = (steps * (part + 1) / parts) - (steps * part / parts);
            if (share == 0)
            {
                continue;
            }

            var result = trainer.Train(
                new LocalTask<T>
                {
                    Start = parameters,
                    Data = data.Train,
                    Examples = examples,
                    Steps = checked((int)share),
                    Seed = SeededRandom.DeriveSeed(configuration.Seed, "baseline", client, part),
                    RateFactor = RateSchedule.Factor(options.Schedule, part, versions),
                },
                delta);
            System.Numerics.Tensors.TensorPrimitives.Add(parameters, delta, parameters);
            if (!result.IsFinite)
            {
                break; // Its scores show it.
            }
        }

        return parameters;
    }

    private static BaselineScore Score(TrainingWorkload<T> workload, string kind, int client, string name, long steps, T[] parameters)
    {
        var pooled = workload.EvaluateAll(parameters);
        return new BaselineScore(kind, client, name, steps, pooled.Accuracy, pooled.Loss, workload.ScoreClients(parameters));
    }
}
