using Federated.Aggregation.ExampleWeights;
using Federated.Privacy.Accounting;
using Federated.Privacy.Pipeline;

namespace Federated.Simulation.Tests.Privacy;

/// <summary>The same configurations in virtual time: the encoding is there, the masks fall away.</summary>
public static class SecureSumRunTests
{
    [Fact]
    public static void A_sum_on_the_finest_grid_learns_what_the_plain_mean_learns()
    {
        var plain = PrivateRun.Rounds.Start();
        var summed = PrivateRun.Rounds.With(new SecureSumOptions { ClipNorm = 100 }).Start();
        Assert.Equal(plain.FinalAccuracy, summed.FinalAccuracy, 0.02);
        Assert.Equal(plain.FinalLoss, summed.FinalLoss, 1e-4);
        Assert.True(double.IsNaN(summed.Epsilon), "no ε is guaranteed, so none is told");
        Assert.Contains("single updates are hidden inside sums", summed.Privacy!.Statement.Text, StringComparison.Ordinal);
    }

    [Fact]
    public static void A_coarse_grid_is_seen()
    {
        var plain = PrivateRun.Rounds.Start();
        var coarse = PrivateRun.Rounds.With(new SecureSumOptions { ClipNorm = 100, Bits = 12 }).Start();
        Assert.NotEqual(plain.FinalLoss, coarse.FinalLoss, 1e-3);
    }

    [Fact]
    public static void Weights_by_examples_are_capped_where_there_is_room_for_no_more() =>
        Assert.True((PrivateRun.Rounds with { Strategy = PrivateRun.Rounds.Strategy with { ExampleWeight = new LinearExampleWeight() } })
            .With(new SecureSumOptions { ClipNorm = 100, LargestExamples = 8 }).Start().Accepted > 0);

    [Fact]
    public static void Noise_costs_what_the_members_add_it_for()
    {
        var privacy = new DistributedPrivacyOptions { ClipNorm = 0.5, NoiseMultiplier = 1, Corrupted = 0, Delta = 1e-5, MaxParticipations = 2 };
        var summary = PrivateRun.Rounds.With(privacy, versions: 5).Start();
        var facts = new RunFacts { Dimension = 1450, Clients = 20, UpdatesPerRelease = 5, LeastUpdatesPerRelease = 5, MostUpdatesPerSession = 5, IsSynchronous = true };
        var plan = SecureSumPlan.Of(privacy, facts);
        Assert.Equal(5, plan.Honest);
        Assert.InRange(summary.Privacy!.Spent!.Epsilon, new RdpAccountant().Epsilon(plan.Event!, 1e-5) * 0.999, new RdpAccountant().Epsilon(plan.Event!.Repeated(2), 1e-5) * 1.001);
    }

    [Fact]
    public static void A_budget_gives_the_noise()
    {
        var privacy = new DistributedPrivacyOptions { ClipNorm = 0.5, Epsilon = 3, Delta = 1e-5, MaxParticipations = 4 };
        var facts = new RunFacts { Dimension = 1450, Clients = 20, UpdatesPerRelease = 10, LeastUpdatesPerRelease = 8, MostUpdatesPerSession = 10, IsSynchronous = true };
        var plan = SecureSumPlan.Of(privacy, facts);
        Assert.InRange(new RdpAccountant().Epsilon(plan.Event!.Repeated(4), 1e-5), 2.99, 3);
        Assert.Equal(8, plan.Honest);
        Assert.Equal(6, SecureSumPlan.Of(privacy with { Corrupted = 0.2 }, facts).Honest);
    }
}
