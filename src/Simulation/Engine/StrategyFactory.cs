using System.Numerics;
using System.Reflection;
using System.Text.Json.Serialization;
using Federated.Aggregation;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Models;
using Federated.Coordinator.Scheduling;
using Federated.Training.LocalObjectives;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Engine;

/// <summary>From the strategy section to its parts.</summary>
internal static class StrategyFactory
{
    /// <param name="watcher">Is told of the scheduler's groups; null for nobody.</param>
    public static IScheduler CreateScheduler(ExperimentConfiguration configuration, ISchedulerWatcher? watcher = null)
    {
        var strategy = configuration.Strategy;
        IUpdateWeight weight = new UpdateWeight(strategy.ExampleWeight.Of, strategy.StalenessWeight.Of);
        var scheduler = Schedulers.Create(
            strategy.Scheduler,
            CreateStepPolicy(configuration),
            strategy.CorrectParticipation ? new ParticipationWeight(weight) : weight);
        if (scheduler is IWatchableScheduler watchable)
        {
            watchable.Watcher = watcher;
        }

        return scheduler;
    }

    /// <summary>The server's part of the objective; null for those that have none.</summary>
    public static IObjectiveServer<T>? CreateObjectiveServer<T>(StrategyOptions strategy, int dimension, int clients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => strategy.Objective switch
        {
            ScaffoldOptions => new ControlVariateServer<T>(Scaffold<T>.ServerControl, Scaffold<T>.ControlDelta, dimension, clients),
            FedDynOptions or FedSpeedOptions => new DriftServer<T>(dimension, clients),
            _ => null,
        };

    private static IStepPolicy CreateStepPolicy(ExperimentConfiguration configuration) => (configuration.Strategy.StepPolicy, configuration.Training) switch
    {
        (DynamicLocalUpdatesOptions o, _) => new DynamicLocalUpdates(o.Steps),
        (QuadraticSynchronizationOptions o, LocalTraining training) => new QuadraticSynchronization(
            o.BaseSteps,
            o.Coefficient,
            version => training.Optimizer.LearningRate * RateSchedule.Factor(training.Schedule, version, configuration.Run.Stop.Versions)),
        (QuadraticSynchronizationOptions, _) => throw new SimulationException(
            "The step policy qsr follows the clients' learning rate, and a run with training: none has none. Choose fixed or dylu."),
        _ => new FixedWork(configuration.Training.Work),
    };

    /// <param name="memory">Where aggregators that remember clients do so; in this process's memory when left out.</param>
    public static IAggregator<T> CreateAggregator<T>(StrategyOptions strategy, int dimension, IClientMemory<T>? memory = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Aggregators.Create(strategy.Aggregator, dimension, memory);

    public static IServerOptimizer<T> CreateServerOptimizer<T>(StrategyOptions strategy, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ServerOptimizers.Create<T>(strategy.ServerOptimizer, dimension);

    /// <summary>Whether only the shares of the weights within an aggregate matter.</summary>
    public static bool Normalises(StrategyOptions strategy) =>
        strategy.Aggregator is not WeightedMeanOptions { Normalisation: Normalisation.None or Normalisation.Divisor };

    /// <summary>The parts by the names that configuration knows them by: <c>synchronous × mean × sgd × none</c>.</summary>
    public static string Describe(ExperimentConfiguration configuration)
    {
        var strategy = configuration.Strategy;
        return configuration.Training is NoTraining
            ? Kind(strategy.Scheduler)
            : string.Join(" × ", Kind(strategy.Scheduler), Kind(strategy.Aggregator), Kind(strategy.ServerOptimizer), Kind(strategy.Objective));
    }

    private static string Kind<TOptions>(TOptions options)
        where TOptions : notnull =>
        typeof(TOptions).GetCustomAttributes<JsonDerivedTypeAttribute>().First(a => a.DerivedType == options.GetType()).TypeDiscriminator!.ToString()!;
}
