using Federated.Aggregation.Compression;
using Federated.Coordinator.Scheduling;
using Federated.Privacy.Pipeline;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Optimizers;

namespace Federated.Simulation;

/// <summary>Everything about a configuration that no single option can know: told before anything is computed or written.</summary>
internal static class ExperimentGuard
{
    /// <summary>Fills in what follows from other options.</summary>
    public static ExperimentConfiguration Resolve(ExperimentConfiguration configuration)
    {
        if (configuration.Run.Seed != 1 && configuration.Run.Seed != configuration.Seed)
        {
            throw new SimulationException(
                $"run.seed is {configuration.Run.Seed} and seed is {configuration.Seed}: an experiment has one seed. Remove run.seed.");
        }

        return configuration with
        {
            Run = configuration.Run with { Seed = configuration.Seed },
            Threads = configuration.Threads == 0 ? Environment.ProcessorCount : configuration.Threads,
        };
    }

    /// <summary>The number of clients, from the data or the clients section.</summary>
    public static int Clients(ExperimentConfiguration configuration, FederatedData? data)
    {
        var asked = configuration.Clients.Count;
        if (data is null)
        {
            return asked > 0
                ? asked
                : throw new SimulationException("A run needs at least one client; there are 0. Set clients.count, or give data that are split over clients.");
        }

        if (asked != 0 && asked != data.Clients.Count)
        {
            throw new SimulationException(
                $"clients.count is {asked}, but the data are split over {data.Clients.Count} clients. Remove clients.count, or change the partition.");
        }

        return data.Clients.Count;
    }

    /// <exception cref="SimulationException">Parts that do not go together; the message says what to change.</exception>
    public static void Check(ExperimentConfiguration configuration, FederatedData? data, int clients)
    {
        CheckData(configuration, data);
        CheckScheduler(configuration, clients);
        StrategyGuard.Check(configuration.Strategy, clients);
        CheckStop(configuration);
        CheckAttack(configuration, clients);
        CheckVanishing(configuration, new Fleet(configuration.Clients, clients, configuration.Seed));
    }

    /// <summary>As <see cref="Check"/>, for a run whose clients are real: what describes simulated devices does not count.</summary>
    public static void CheckServed(ExperimentConfiguration configuration, FederatedData? data, int clients)
    {
        var stop = configuration.Run.Stop;
        if (data is null or { Test.Count: 0 } && (stop.TargetAccuracy > 0 || stop.Patience > 0))
        {
            throw new SimulationException("A target accuracy or a patience needs evaluations, and the coordinator has no test examples. Remove them, or give it a data section.");
        }

        if (clients == int.MaxValue && StrategyFactory.CreateObjectiveServer<float>(configuration.Strategy, 1, 1) is not null)
        {
            throw new SimulationException("This local objective divides by the number of clients. Set clients.count.");
        }

        CheckScheduler(configuration, clients);
        StrategyGuard.Check(configuration.Strategy, clients);
        CheckStop(configuration);
    }

    public static void CheckSections(ExperimentConfiguration configuration)
    {
        if (configuration is { Input: not null, Data: not null })
        {
            throw new SimulationException("The data section tells what an example looks like, so input would be ignored. Remove one of them.");
        }

        if (configuration.Training is NoTraining)
        {
            if (configuration.Model is not null || configuration.Baselines.Count > 0)
            {
                throw new SimulationException("training: none computes nothing, so a model or baselines would be ignored. Remove these sections, or train.");
            }

            if (configuration.Privacy is not NoPrivacyOptions)
            {
                throw new SimulationException("training: none computes no updates, so there is nothing to protect. Remove the privacy section, or train.");
            }

            return;
        }

        if (configuration is { Analysis: not null } or { Data: null, Input: not null })
        {
            throw new SimulationException(
                $"The {(configuration.Analysis is null ? "input section says what real clients bring" : "analysis section asks real clients")}, and there is no data section to simulate them with. Serve it: fed serve, then fed runs create with this file.");
        }

        if (configuration.Data is null || configuration.Model is null)
        {
            throw new SimulationException(
                $"Training needs data and a model; there is no {(configuration.Data is null ? "data" : "model")} section. Add one, or set training: none.");
        }
    }

    /// <summary>The engine that the configuration asks for; null for the managed kernels.</summary>
    public static ITrainerFactory? Engine(ExperimentConfiguration configuration, IReadOnlyList<ITrainerFactory> engines)
    {
        if (configuration.Trainer is ManagedTrainerOptions || configuration.Training is NoTraining)
        {
            if (configuration.Privacy is ExamplePrivacyOptions)
            {
                throw new SimulationException(
                    $"privacy: {PrivacyPolicies.Example} clips the gradient of every single example, which the managed kernels never form. Set trainer: {TrainerKinds.Torch}, or choose another policy.");
            }

            return null;
        }

        var engine = TrainerEngines.Find(configuration.Trainer, engines);
        return configuration.Precision == NumberFormat.Float32
            ? engine
            : throw new SimulationException($"trainer: {TrainerKinds.Torch} trains in float32; precision is float64. Set precision: float32, or trainer: {TrainerKinds.Managed}.");
    }

    private static void CheckData(ExperimentConfiguration configuration, FederatedData? data)
    {
        if (data is null)
        {
            return;
        }

        for (var client = 0; client < data.Clients.Count; client++)
        {
            if (data.Clients[client].Train.Length == 0)
            {
                throw new SimulationException(
                    $"Client {client} ('{data.Clients[client].Name}') has no training examples; every client needs at least one. "
                    + "Use fewer clients, or a less extreme partition.");
            }
        }

        var stop = configuration.Run.Stop;
        if ((data.Test.Count == 0 || configuration.Training is NoTraining) && (stop.TargetAccuracy > 0 || stop.Patience > 0))
        {
            throw new SimulationException("A target accuracy or a patience needs evaluations; this run has no model or no test examples. Remove them, or hold examples out.");
        }
    }

    private static void CheckScheduler(ExperimentConfiguration configuration, int clients)
    {
        switch (configuration.Strategy.Scheduler)
        {
            case SynchronousOptions o when Math.Ceiling(o.Cohort * (1 + o.OverSelection)) > clients:
                throw new SimulationException(
                    $"A round invites {Math.Ceiling(o.Cohort * (1 + o.OverSelection))} clients (cohort {o.Cohort}, over-selection {o.OverSelection}), but there are {clients}. "
                    + "Lower strategy.scheduler.cohort, or use more clients.");
            case SynchronousOptions o when o.MinimumReports > o.Cohort:
                throw new SimulationException($"A round of {o.Cohort} updates cannot need {o.MinimumReports}. Lower minimumReports, or raise cohort.");
            case BufferedOptions o when o.AggregationGoal > o.Concurrency:
                throw new SimulationException(
                    $"An aggregation goal of {o.AggregationGoal} updates is above the concurrency of {o.Concurrency}. Lower aggregationGoal, or raise concurrency.");
        }
    }

    private static void CheckStop(ExperimentConfiguration configuration)
    {
        var stop = configuration.Run.Stop;
        if (stop is { Versions: 0, ClientUpdates: 0, Seconds: 0 })
        {
            throw new SimulationException("A run needs an end that it is sure to reach. Set run.stop.versions, clientUpdates or seconds above 0.");
        }

        if (configuration.Training is LocalTraining { Schedule: CosineRate } && stop.Versions == 0)
        {
            throw new SimulationException("A cosine schedule needs to know where the run ends. Set run.stop.versions, or choose another schedule.");
        }
    }

    private static void CheckAttack(ExperimentConfiguration configuration, int clients)
    {
        if (configuration.Clients.Attack is not ByzantineAttack attack)
        {
            return;
        }

        if (configuration.Training is NoTraining)
        {
            throw new SimulationException("training: none computes no updates, so there is nothing to attack. Remove clients.attack, or train.");
        }

        if (attack.Attackers >= clients)
        {
            throw new SimulationException($"There are {attack.Attackers} attackers among {clients} clients; at least one must be honest. Lower clients.attack.attackers.");
        }

        if (attack is not LabelFlipAttack && LocalObjectiveKinds.Create<float>(configuration.Strategy.Objective).ClientTensors.Count > 0)
        {
            throw new SimulationException(
                "Attackers make up updates, not the control variates that go with them. Choose an objective other than scaffold, or the attack label-flip.");
        }

        var encoder = UpdateCodecs.CreateEncoder<float>(configuration.Strategy.Compression, 1);
        if (attack is not LabelFlipAttack && (encoder.Codec.Name != UpdateCodecs.Identity || encoder.Name != UpdateCodecs.NoFeedback))
        {
            throw new SimulationException(
                "Attackers make up whole updates, which no codec has encoded. Remove strategy.compression, or choose the attack label-flip.");
        }
    }

    private static void CheckVanishing(ExperimentConfiguration configuration, Fleet fleet)
    {
        var isBounded = configuration.Run.ClientTimeout > 0 || configuration.Strategy.Scheduler is SynchronousOptions { RoundDeadline: > 0 };
        if (fleet.CanVanish && !isBounded)
        {
            throw new SimulationException(
                "Clients can fall silent (vanish), and nothing ends the wait for them. Set run.clientTimeout or a round deadline, or let them fail instead.");
        }
    }
}
