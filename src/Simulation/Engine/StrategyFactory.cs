using System.Numerics;
using System.Reflection;
using System.Text.Json.Serialization;
using Federated.Aggregation;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Scheduling;

namespace Federated.Simulation.Engine;

/// <summary>From the strategy section to its parts.</summary>
internal static class StrategyFactory
{
    public static IScheduler CreateScheduler(ExperimentConfiguration configuration)
    {
        var strategy = configuration.Strategy;
        IUpdateWeight weight = new UpdateWeight(strategy.ExampleWeight.Of, strategy.StalenessWeight.Of);
        return Schedulers.Create(
            strategy.Scheduler,
            new FixedWork(configuration.Training.Work),
            strategy.CorrectParticipation ? new ParticipationWeight(weight) : weight);
    }

    public static IAggregator<T> CreateAggregator<T>(StrategyOptions strategy, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Aggregators.Create<T>(strategy.Aggregator, dimension);

    public static IServerOptimizer<T> CreateServerOptimizer<T>(StrategyOptions strategy, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ServerOptimizers.Create<T>(strategy.ServerOptimizer, dimension);

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
