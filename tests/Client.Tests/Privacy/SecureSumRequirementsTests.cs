using Federated.Client.Privacy;
using Federated.Client.Tests.Fakes;
using Federated.Client.Tests.Session;
using Federated.Client.Training;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Privacy;

/// <summary>A client that lets its updates into sums only, and coordinators that say so and ask for something else.</summary>
public sealed class SecureSumRequirementsTests : SessionFixture
{
    private static readonly RunFacts Facts = new()
    {
        Dimension = FakeCoordinator.Dimension, Clients = 100, UpdatesPerRelease = 10, LeastUpdatesPerRelease = 8, MostUpdatesPerSession = 10, IsSynchronous = true,
    };

    private static readonly DistributedPrivacyOptions Noised = new() { Corrupted = 0, NoiseMultiplier = 3, MaxParticipations = 2 };

    private static RunPrivacyMessage Statement(PrivacyOptions options)
    {
        using var random = new ReleaseRandom(ReleaseRandom.NewKey());
        return new RunPrivacyMessage("run", 0, StatementMessage.Of(PrivacyStatement.Of(PrivacyPolicies.Create<float>(options, Facts, random), StatementSetting.Served)))
        {
            CreatedAt = "2026-01-01T00:00:00Z",
        };
    }

    private void Refuses(string reason)
    {
        var summary = Driver.Run();
        Assert.True(summary.IsPrivacyRefusal, summary.Reason);
        Assert.Contains(reason, summary.Reason, StringComparison.Ordinal);
        Assert.Empty(Trainer.Tasks);
    }

    [Fact]
    public void An_update_as_it_is_is_not_what_a_statement_of_sums_says()
    {
        Coordinator.Told = Statement(new SecureSumOptions());
        Coordinator.Privacy = new ProtectionMessage(ProtectionMessage.Clip, 1).ToJson();
        Driver.Options = Driver.Options with { Privacy = new PrivacyRequirements { Trust = RequiredTrust.Distributed } };
        Refuses("the run's statement says secure-sum, and the assignment asks for the privacy step 'clip'");
    }

    [Fact]
    public void A_sum_with_less_noise_than_stated_gets_nothing()
    {
        Coordinator.Told = Statement(Noised);
        Coordinator.Privacy = ProtectionMessage.Of(SecureSumPlan.Of(Noised with { NoiseMultiplier = 1 }, Facts)).ToJson();
        Driver.Options = Driver.Options with { Privacy = new PrivacyRequirements { Trust = RequiredTrust.Distributed } };
        Refuses("noise of 3 times the bound");
    }

    [Fact]
    public void A_statement_that_promises_more_than_its_noise_gives_is_not_believed()
    {
        var honest = Statement(Noised);
        Coordinator.Told = honest with { Statement = honest.Statement with { Planned = honest.Statement.Planned! with { Epsilon = 0.1 } } };
        Driver.Options = Driver.Options with { Privacy = new PrivacyRequirements { Trust = RequiredTrust.Distributed, MaxEpsilon = 1 } };
        Refuses("the run's statement promises ε = 0.1 at δ = 1e-6, and its own numbers give");
    }

    /// <summary>As much noise as stated on a grid so coarse that rounding tells what the noise hides.</summary>
    [Fact]
    public void A_sum_on_a_coarser_grid_than_was_accounted_gets_nothing()
    {
        Coordinator.Told = Statement(Noised);
        var plan = SecureSumPlan.Of(Noised, Facts);
        Coordinator.Privacy = ProtectionMessage.Of(plan with { Scale = 4.001 / plan.LocalDeviation }).ToJson();
        var driver = new SessionDriver(Time, Coordinator, Store, new Forgetful());
        driver.Options = driver.Options with { Privacy = new PrivacyRequirements { Trust = RequiredTrust.Distributed }, TrainerFailures = 1 };
        var refusal = Assert.Throws<ClientException>(() => driver.Run());
        Assert.Contains("and the noise of the assignment's sum gives", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Store.Ledger.Runs);
    }

    /// <summary>A sum takes no memory beside it.</summary>
    private sealed class Forgetful : ITrainer
    {
        public double Examples => 5;

        public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
        {
            task.Delta.Fill(0.1f);
            return new TrainingResult(Examples, Steps: 3, MeanLoss: 0.5);
        }
    }

    [Fact]
    public void A_run_of_sums_is_too_weak_for_who_trusts_nobody()
    {
        Coordinator.Told = Statement(Noised);
        Driver.Options = Driver.Options with { Privacy = new PrivacyRequirements { Trust = RequiredTrust.Local } };
        Refuses("the run's policy is distributed");
    }
}
