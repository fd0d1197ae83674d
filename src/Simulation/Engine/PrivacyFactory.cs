using System.Numerics;
using Federated.Aggregation.Compression;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Scheduling;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Simulation.Devices;
using Federated.Simulation.Results;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;

namespace Federated.Simulation.Engine;

/// <summary>From an experiment to the privacy of its run.</summary>
internal static class PrivacyFactory
{
    /// <summary>The run's privacy; null without a policy.</summary>
    /// <param name="noise">Of a run whose clients are real; null in a simulation, whose seed draws everything.</param>
    /// <exception cref="SimulationException">The strategy and the policy do not go together; the message says why and what to change.</exception>
    public static PrivateRelease<T>? Create<T>(ExperimentConfiguration configuration, int dimension, int clients, ReleaseRandom? noise = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (configuration.Privacy is NoPrivacyOptions)
        {
            return null;
        }

        try
        {
            return new PrivateRelease<T>(
                configuration.Privacy, FactsOf(configuration, dimension, clients, isSimulated: noise is null).For(configuration.Privacy), noise ?? ReleaseRandom.ForSimulation(configuration.Seed));
        }
        catch (PrivacyException refusal)
        {
            throw new SimulationException($"The privacy policy cannot be kept in this run. {refusal.Message}", refusal);
        }
    }

    /// <summary>What the policy allows, for the run machine; null without one.</summary>
    public static ParticipationLimiter? CreateLimiter<T>(PrivateRelease<T>? privacy, ExperimentConfiguration configuration, int dimension, int clients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => privacy is null ? null : new ParticipationLimiter(
            privacy.Policy.Limits, clients, privacy.Facts.LeastUpdatesPerRelease, FactsOf(configuration, dimension, clients).ClientsPerRelease);

    /// <summary>What simulated clients do to each example's gradient; null when nothing. Seeded, as everything in a simulation.</summary>
    public static ExampleNoise? NoiseOf(PrivacyOptions privacy) =>
        privacy is ExamplePrivacyOptions o ? new ExampleNoise(o.ClipNorm, o.NoiseMultiplier, o.SamplingRate, IsSeeded: true) : null;

    public static PrivacySummary Summarize<T>(PrivateRelease<T> privacy)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(
            PrivacyStatement.Of(privacy.Policy, StatementSetting.Simulation),
            [
                "A simulation knows every client's data: updates.csv, scores.csv and participation.csv are its own view and are not part of what is released.",
                "Versions are evaluated on test examples that are taken to be public.",
                .. privacy.Policy.SecureSum is null ? Array.Empty<string>() : ["Updates were summed on the grid of secure aggregation, with their members' noise where there is any; masks fall away in a sum, and were left out of this simulation."],
            ]);

    private static StrategyFacts FactsOf(ExperimentConfiguration configuration, int dimension, int clients, bool isSimulated = true)
    {
        var strategy = configuration.Strategy;
        var encoder = UpdateCodecs.CreateEncoder<float>(strategy.Compression, 1);
        var devices = configuration.Clients;
        return new StrategyFacts
        {
            Scheduler = strategy.Scheduler,
            Aggregator = strategy.Aggregator,
            ExampleWeight = strategy.ExampleWeight,
            StalenessWeight = strategy.StalenessWeight,
            Run = configuration.Run,
            Dimension = dimension,
            Clients = clients,
            CorrectParticipation = strategy.CorrectParticipation,
            SendsMoreThanTheUpdate = LocalObjectiveKinds.Create<float>(strategy.Objective).ClientTensors.Count > 0,
            WorkIsInEpochs = strategy.StepPolicy is FixedWorkOptions && configuration.Training is { Steps: 0, Epochs: > 0 },
            LocalSteps = strategy.StepPolicy is FixedWorkOptions ? configuration.Training.Steps : 0,
            Compresses = encoder.Codec.Name != UpdateCodecs.Identity || encoder.Name != UpdateCodecs.NoFeedback,
            ClientsRemember = strategy.Objective is FedDynOptions or FedSpeedOptions,
            StepsFollowSpeed = strategy.StepPolicy is not FixedWorkOptions,
            DrawsAreSecret = isSimulated,
            EverybodyIsAlwaysThere = isSimulated && devices is { Availability: AlwaysAvailable, Connectivity: { Dropout: 0, Departure: 0 } },
        };
    }
}
