using System.Text;
using Federated.Coordinator;
using Federated.Coordinator.Scheduling;
using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Simulation.Configuration.Binding;
using Federated.Simulation.Serving;
using Federated.Training.Models;

namespace Federated.Simulation.Tests.Privacy;

/// <summary>What holds in a simulation, whose world is known, and must not be claimed of real clients.</summary>
public static class ServedPrivacyTests
{
    private static readonly CentralPrivacyOptions Central = new() { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 2 }, MaxParticipations = 3 };

    [Fact]
    public static void A_served_run_says_what_it_will_cost_at_most_with_noise_that_is_no_simulations()
    {
        var statement = Describe(PrivateRun.Rounds.With(Central));
        Assert.Equal(AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-6), statement.Planned!.Epsilon, 1e-9);
        Assert.Contains("by the accountant analytic-gaussian. Trusted: the coordinator", statement.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("simulation", statement.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SamplingClaim.FixedSize)]
    [InlineData(SamplingClaim.Poisson)]
    public static void No_sampling_is_claimed_of_clients_that_come_as_they_like_by_draws_that_a_seed_tells(SamplingClaim claim)
    {
        var run = claim == SamplingClaim.Poisson
            ? PrivateRun.Rounds with { Strategy = PrivateRun.Rounds.Strategy with { Scheduler = new PoissonOptions { Probability = 0.25 } } }
            : PrivateRun.Rounds;
        var policy = Central with { MaxParticipations = 0, Sampling = claim };
        Experiment.Prepare(run.With(policy), "."); // Simulated, it is as good as its coins would be.
        var refusal = Assert.Throws<CoordinatorException>(() => Describe(run.With(policy)));
        Assert.Contains("does not sample so", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public static void Shuffling_needs_a_shuffler()
    {
        var refusal = Assert.Throws<CoordinatorException>(() => Describe(PrivateRun.Rounds.With(new ShufflePrivacyOptions())));
        Assert.Contains("a shuffler between clients and coordinator", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public static void Scores_on_clients_own_data_do_not_leave_them()
    {
        var blind = PrivateRun.Rounds.With(Central) with
        {
            Data = null, Input = new InputOptions { Shape = [144], Classes = 10 }, Model = new SoftmaxRegressionOptions(), Clients = new() { Count = 20 },
        };
        Describe(blind);
        var curious = blind with { Run = blind.Run with { Stop = blind.Run.Stop with { TargetAccuracy = 0.9 } } };
        Assert.Contains("without noise", Assert.Throws<CoordinatorException>(() => Describe(curious)).Message, StringComparison.Ordinal);
    }

    private static PrivacyStatement Describe(ExperimentConfiguration configuration) =>
        new ExperimentRunFactory(".").Describe(Encoding.UTF8.GetBytes(ConfigWriter.Write(configuration))).Privacy;
}
