using System.Numerics;
using Federated.Aggregation;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Models;
using Federated.Coordinator.Privacy;
using Federated.Protocol;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Engine;

/// <summary>What a simulated run and a served one are made of alike, so that the same configuration gives the same bits in both.</summary>
internal static class RunComposition
{
    /// <summary>The parameters of version 0.</summary>
    public static T[] Initial<T>(IModel<T> model, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var parameters = new T[model.Layout.Count];
        model.Initialize(parameters, SeededRandom.Derive(seed, "model"));
        return parameters;
    }

    /// <summary>The run's numbers at their beginning.</summary>
    /// <param name="initial">d parameters; owned by the state from here on.</param>
    /// <param name="clients">N, for objectives that need it.</param>
    /// <param name="memory">Where an aggregator that remembers clients does so; in this process's memory when left out.</param>
    public static ModelState<T> CreateState<T>(
        ExperimentConfiguration configuration, T[] initial, int clients, PrivateRelease<T>? privacy, IClientMemory<T>? memory = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var strategy = configuration.Strategy;
        return new ModelState<T>(
            initial,
            Aggregators.Create(strategy.Aggregator, initial.Length, memory),
            StrategyFactory.CreateServerOptimizer<T>(strategy, initial.Length),
            StrategyFactory.CreateObjectiveServer<T>(strategy, initial.Length, clients),
            privacy);
    }

    /// <summary>The seed behind every task's.</summary>
    public static ulong TrainingSeed(ulong runSeed) => SeededRandom.DeriveSeed(runSeed, "training");

    /// <summary>The seed of one client's task: mini-batches, and the codec's draws.</summary>
    public static ulong TaskSeed(ulong trainingSeed, Assignment assignment) =>
        SeededRandom.DeriveSeed(trainingSeed, "", assignment.Client.Value, assignment.Id.Value);

    /// <summary>The factor on the clients' learning rate for work that starts from a version.</summary>
    public static double RateFactor(ExperimentConfiguration configuration, int version) => configuration.Training is LocalTraining training
        ? RateSchedule.Factor(training.Schedule, version, configuration.Run.Stop.Versions)
        : 1;
}
