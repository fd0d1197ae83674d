using Federated.Aggregation;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.Robust;
using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Scheduling;
using Federated.Training.LocalObjectives;

namespace Federated.Simulation.Engine;

/// <summary>Combinations of strategy parts that would not be what their papers say, refused before the run with the reason.</summary>
internal static class StrategyGuard
{
    /// <exception cref="SimulationException">The parts do not go together; the message says what to change.</exception>
    public static void Check(StrategyOptions strategy, int clients)
    {
        CheckScheduler(strategy, clients);
        CheckRobust(strategy, clients);
        CheckObjective(strategy);
        CheckCompression(strategy, clients);
    }

    private static void CheckScheduler(StrategyOptions strategy, int clients)
    {
        var dividesByNothing = strategy.Aggregator is WeightedMeanOptions { Normalisation: Normalisation.None };
        switch (strategy.Scheduler)
        {
            case ImmediateOptions when !dividesByNothing:
                throw new SimulationException(
                    "The immediate scheduler (FedAsync) mixes each update with weight α·s(τ), which a normalising or robust aggregator would undo. "
                    + "Set strategy.aggregator to { kind: mean, normalisation: none }.");
            case CompassOptions when !dividesByNothing:
                throw new SimulationException(
                    "The compass scheduler weights updates α·s(τ)·p_i over the whole population, which a normalising or robust aggregator would undo. "
                    + "Set strategy.aggregator to { kind: mean, normalisation: none }.");
            case ImmediateOptions or CompassOptions when strategy.CorrectParticipation:
                throw new SimulationException(
                    "correctParticipation sets the weights, and so do the immediate and the compass scheduler. Remove it, or choose buffered or fixed-window.");
            case CompassOptions or AnarchicOptions when strategy.StepPolicy is not FixedWorkOptions:
                throw new SimulationException(
                    "The compass scheduler sets the steps itself and the anarchic one leaves them to the clients, so a step policy would be ignored. Remove strategy.stepPolicy.");
            case AnarchicOptions o when o.InitialClients > clients:
                throw new SimulationException(
                    $"The first version waits for {o.InitialClients} different clients, and there are {clients}. Lower strategy.scheduler.initialClients.");
        }

        if (strategy.Aggregator is AnarchicMemoryOptions { Clients: > 0 } memory && memory.Clients != clients)
        {
            throw new SimulationException(
                $"AFA-CS takes its mean over {memory.Clients} clients, and there are {clients}. Set strategy.aggregator.clients to {clients}, or to 0 for those heard so far.");
        }

        if (strategy.CorrectParticipation && !dividesByNothing)
        {
            throw new SimulationException(
                "correctParticipation gives every client its intended weight on average; an aggregator that normalises or is robust would undo it. "
                + "Set strategy.aggregator to { kind: mean, normalisation: none }.");
        }
    }

    private static void CheckRobust(StrategyOptions strategy, int clients)
    {
        if (Aggregators.Create<float>(strategy.Aggregator, 1) is not RobustAggregator<float> robust)
        {
            return;
        }

        var minimum = robust.Rule.MinimumCount;
        var (updates, where) = strategy.Scheduler switch
        {
            SynchronousOptions o => (o.MinimumReports > 0 ? o.MinimumReports : o.Cohort, o.MinimumReports > 0 ? "minimumReports" : "cohort"),
            BufferedOptions o => (o.AggregationGoal, "aggregationGoal"),
            AnarchicOptions o => (o.AggregationGoal, "aggregationGoal"),
            _ => throw new SimulationException(
                "A robust rule compares several updates; the fixed-window scheduler may publish with one, and the poisson scheduler with none. Choose synchronous, buffered or anarchic."),
        };
        if (updates < minimum)
        {
            throw new SimulationException(
                $"The robust rule needs at least {minimum} updates per version, and strategy.scheduler.{where} lets a version be made of {updates}. Raise it, or expect fewer attackers.");
        }

        if (updates > clients)
        {
            throw new SimulationException($"A version needs {updates} updates, and there are {clients} clients. Lower strategy.scheduler.{where}.");
        }
    }

    private static void CheckObjective(StrategyOptions strategy)
    {
        if (strategy.Objective is FedDynOptions or FedSpeedOptions)
        {
            var isMean = strategy.Aggregator is WeightedMeanOptions { Normalisation: Normalisation.WeightSum or Normalisation.Count }
                && strategy.ExampleWeight is EqualExampleWeight;
            if (strategy.Scheduler is not SynchronousOptions)
            {
                throw new SimulationException(
                    "FedDyn and FedSpeed average models that were trained from one version; other schedulers mix versions. Set strategy.scheduler to synchronous.");
            }

            if (!isMean || strategy.ServerOptimizer is not SgdOptions { LearningRate: 1 })
            {
                throw new SimulationException(
                    "FedDyn and FedSpeed make the next version from the unweighted mean of the updates and their own drift. "
                    + "Set strategy.exampleWeight to equal, the aggregator to a mean and the server optimizer to sgd with learning rate 1.");
            }
        }

        if (strategy.Objective is FedDynOptions or FedSpeedOptions or ScaffoldOptions && strategy.Scheduler is PoissonOptions)
        {
            throw new SimulationException(
                "FedDyn, FedSpeed and SCAFFOLD count the members of a round; the poisson scheduler's rounds differ in size, may be empty, and the size is what its sampling keeps secret. "
                + "Choose another objective, or the synchronous scheduler.");
        }

        if (strategy.Objective is ScaffoldOptions && strategy.Aggregator is not WeightedMeanOptions)
        {
            throw new SimulationException("SCAFFOLD averages updates and control variates alike; its aggregator must be a mean.");
        }
    }

    private static void CheckCompression(StrategyOptions strategy, int clients)
    {
        var feedback = UpdateCodecs.CreateEncoder<float>(strategy.Compression, 1).Name;
        var sendsShifts = feedback is UpdateCodecs.Ef21 or UpdateCodecs.EControl;
        if (strategy.Aggregator is not ShiftedMeanOptions shifted)
        {
            if (sendsShifts)
            {
                throw new SimulationException(
                    $"Under '{feedback}' clients send changes of shifts, which only a shifted mean can follow. Set strategy.aggregator to "
                    + $"{{ kind: shifted-mean, clients: {clients} }} and strategy.exampleWeight to equal, or choose ef14 or none.");
            }

            return;
        }

        if (!sendsShifts)
        {
            throw new SimulationException(
                $"A shifted mean adds up changes of shifts, and with feedback '{feedback}' clients send updates. Set strategy.compression.feedback to ef21 or econtrol, or strategy.aggregator to a mean.");
        }

        if (shifted.Clients != clients)
        {
            throw new SimulationException(
                $"The mean of shifts is over all clients: strategy.aggregator.clients is {shifted.Clients}, and there are {clients}. Set it to {clients}.");
        }

        if (strategy.Scheduler is ImmediateOptions or CompassOptions || strategy.CorrectParticipation
            || strategy.ExampleWeight is not EqualExampleWeight || strategy.StalenessWeight is not ConstantStaleness)
        {
            throw new SimulationException(
                "Changes of shifts count with weight 1, or the server's shifts would part from the clients'. Set strategy.exampleWeight to equal, "
                + "strategy.stalenessWeight to constant, leave correctParticipation out, and choose a scheduler other than immediate and compass.");
        }
    }
}
