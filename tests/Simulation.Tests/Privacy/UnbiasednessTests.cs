using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Averaging;
using Federated.Coordinator.Models;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Privacy.Central;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Tests.Engine;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using ClientSgd = Federated.Training.Optimizers.SgdOptions;

namespace Federated.Simulation.Tests.Privacy;

/// <summary>
/// 2,000 clients that all hold ½(w − 4)² start from w = 1 and do one step at rate 0.1: every true update is 0.3, so the first version is
/// 1.3 but for noise of a known variance. In double, through the whole path.
/// </summary>
public static class UnbiasednessTests
{
    private const int Clients = 2000;
    private const double ClipNorm = 0.5, Expected = 1.3;

    /// <summary>Deviations of a normal variable that are exceeded with probability 10⁻⁶.</summary>
    private const double Bound = 4.892;

    [Theory]
    [InlineData(UnitVectorRandomizers.PrivUnitG, 1)]
    [InlineData(UnitVectorRandomizers.PrivUnitG, 8)]
    [InlineData(UnitVectorRandomizers.PrivUnit, 4)]
    public static void Local_reports_average_to_the_true_update(string randomizer, double epsilon)
    {
        var options = new LocalPrivacyOptions { Randomizer = randomizer, ReportEpsilon = epsilon, ClipNorm = ClipNorm };
        AssertUnbiased(options, ReportDeviation(randomizer, epsilon));
    }

    [Fact]
    public static void Shuffled_reports_average_to_the_true_update() =>
        AssertUnbiased(new ShufflePrivacyOptions { ReportEpsilon = 3, ClipNorm = ClipNorm }, ReportDeviation(UnitVectorRandomizers.PrivUnitG, 3));

    [Fact]
    public static void Central_noise_has_no_mean_and_the_stated_deviation() =>
        AssertUnbiased(
            new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { ClipNorm = ClipNorm, NoiseMultiplier = 20 } }, 20 * ClipNorm / Clients);

    /// <summary>The first release of every factorisation has noise σ·C·sens·√(variance of the first increment) over the cohort.</summary>
    [Fact]
    public static void Correlated_noise_has_no_mean_and_the_stated_deviation()
    {
        var options = new DpFtrlOptions { ClipNorm = ClipNorm, NoiseMultiplier = 20, Steps = 8, MaxParticipations = 2, MinSeparation = 4, Factorization = "sqrt-toeplitz", ExpectedCohort = Clients };
        using var random = new SimulationRandom(1);
        var mechanism = new DpFtrl<double>(options, 1, random);
        AssertUnbiased(new CentralPrivacyOptions { Mechanism = options }, mechanism.NextDeviation);
    }

    /// <summary>At most C·√(MSE/n): the randomiser's error is over two coordinates, of which the update is one.</summary>
    private static double ReportDeviation(string randomizer, double epsilon) =>
        ClipNorm * Math.Sqrt(UnitVectorRandomizers.Create<double>(randomizer, epsilon, 2).MeanSquaredError / Clients);

    /// <summary>Three seeds: mean within the bound (false alarm 10⁻⁶ each), and noise that is there and differs from seed to seed.</summary>
    private static void AssertUnbiased(PrivacyOptions options, double deviation)
    {
        Assert.True(deviation < 0.1, $"A deviation of {deviation} would hide a bias.");
        var errors = ((ulong[])[1, 2, 3]).Select(seed => FirstVersion(options, seed) - Expected).ToList();
        Assert.All(errors, error => Assert.True(Math.Abs(error) <= Bound * deviation, $"{error} is more than {Bound} deviations of {deviation}."));
        Assert.True(errors.Max() - errors.Min() > deviation * 0.02, "There is no noise.");
    }

    private static double FirstVersion(PrivacyOptions privacy, ulong seed)
    {
        var data = Data();
        var scheduler = new SynchronousOptions { Cohort = Clients };
        var run = new RunOptions { Seed = seed, EvaluateEvery = 0, Stop = new StopOptions { Versions = 1 } };
        var facts = new RunFacts { Dimension = 1, Clients = Clients, PlannedReleases = 1, UpdatesPerRelease = Clients, LeastUpdatesPerRelease = Clients };
        using var release = new PrivateRelease<double>(privacy, facts, ReleaseRandom.ForSimulation(seed));
        var state = new ModelState<double>([1.0], new WeightedMean<double>(1), new Sgd<double>(new()), privacy: release);
        var local = new LocalTrainingOptions { BatchSize = 0, Optimizer = new ClientSgd { LearningRate = 0.1 } };
        using var workload = new TrainingWorkload<double>(
            () => new LocalTrainer<double>(new Quadratics(), local), data, local, new(), state, seed, 1, threads: 1, privacy: privacy);
        var machine = new RunMachine(
            run, Schedulers.Create(scheduler, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal), new ParticipationLimiter(release.Policy.Limits, Clients, Clients, Clients));
        new Simulator(machine, run, new Fleet(new ClientsOptions(), Clients, seed), workload, null, TimeProvider.System).Run(CancellationToken.None);
        return state.Current.Parameters[0];
    }

    private static FederatedData Data()
    {
        float[] features = [.. Enumerable.Repeat((float[])[1, 4], Clients).SelectMany(x => x)];
        return new FederatedData(
            new DataSet("quadratics", features, new int[Clients], [2], 2), new DataSet("none", [], [], [2], 2),
            [.. Enumerable.Range(0, Clients).Select(i => new ClientShard($"{i}", [i], []))]);
    }
}
