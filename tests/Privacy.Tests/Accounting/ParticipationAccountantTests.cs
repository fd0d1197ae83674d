using Federated.Privacy.Accounting;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Accounting;

public static class ParticipationAccountantTests
{
    private static readonly GaussianEvent Release = new(NeighbourRelation.ZeroOutParticipation, 8);

    private static ParticipationAccountant<string> Ledger(int cap = 0, double budget = 0, string accountant = "") =>
        new(new ParticipationAccountantOptions { Delta = 1e-6, ParticipationCap = cap, EpsilonBudget = budget, Accountant = accountant });

    private static void Take(ParticipationAccountant<string> ledger, string client, int times, MechanismEvent? release = null)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.True(ledger.TryCharge(client, release ?? Release).Charged);
        }
    }

    public sealed class Guarantee
    {
        [Fact]
        public void Is_that_of_the_client_that_took_part_most()
        {
            var ledger = Ledger();
            Take(ledger, "slow", 2);
            Take(ledger, "fast", 9);
            var run = ledger.Guarantee();
            Near.Relative(AnalyticGaussian.Epsilon(8 / 3.0, 1e-6), run.Epsilon, 1e-12);
            Assert.Equal(new NeighbourRelation(PrivacyUnit.Client, Adjacency.ZeroOut), run.Relation);
            Near.Relative(AnalyticGaussian.Epsilon(8 / Math.Sqrt(2), 1e-6), ledger.ClientGuarantee("slow").Epsilon, 1e-12);
            Assert.Equal(0, ledger.ClientGuarantee("absent").Epsilon);
        }

        [Fact]
        public void Composes_unlike_releases_of_one_client()
        {
            var ledger = Ledger();
            Take(ledger, "a", 4);
            Take(ledger, "a", 3, new GaussianEvent(NeighbourRelation.ZeroOutParticipation, 5));
            Near.Relative(
                AnalyticGaussian.Epsilon(AnalyticGaussian.Compose([(8, 4), (5, 3)]), 1e-6), ledger.Guarantee().Epsilon, 1e-12);
        }

        [Fact]
        public void Finds_the_worst_among_patterns_that_do_not_cover_each_other()
        {
            var noisy = new LaplaceEvent(NeighbourRelation.ZeroOutParticipation, 50);
            var ledger = Ledger();
            Take(ledger, "many cheap", 6, noisy);
            Take(ledger, "few dear", 3);
            var expected = Math.Max(
                new PldAccountant().Epsilon(noisy.Repeated(6), 1e-6), AnalyticGaussian.Epsilon(8 / Math.Sqrt(3), 1e-6));
            Near.Relative(expected, ledger.Guarantee().Epsilon, 1e-9);
        }

        [Fact]
        public void Of_an_empty_run_is_nothing_spent() => Assert.Equal(0, Ledger().Guarantee().Epsilon);

        [Fact]
        public void Equals_brute_force_over_clients() => Prop.ForAll(
            Gen.Choose(0, 2).ArrayOf(40).ToArbitrary(),
            draws =>
            {
                MechanismEvent[] kinds = [Release, new GaussianEvent(NeighbourRelation.ZeroOutParticipation, 3), new GaussianEvent(NeighbourRelation.ZeroOutParticipation, 20)];
                var ledger = Ledger(accountant: "rdp");
                var taken = new Dictionary<string, List<PrivacyEvent>>();
                for (var i = 0; i < draws.Length; i++)
                {
                    var client = $"c{i * i % 7}";
                    Take(ledger, client, 1, kinds[draws[i]]);
                    (taken.TryGetValue(client, out var list) ? list : taken[client] = []).Add(kinds[draws[i]]);
                }

                var worst = taken.Values.Max(events => new RdpAccountant().Epsilon(new ComposedEvent(events), 1e-6));
                Near.Relative(worst, ledger.Guarantee().Epsilon, 1e-12);
                Assert.Equal(draws.Length, ledger.TotalParticipations);
                Assert.Equal(taken.Count, ledger.ActiveClients);
            }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL).WithMaxTest(20));
    }

    public sealed class Cap
    {
        [Fact]
        public void Bounds_the_run_in_advance_and_is_enforced()
        {
            var ledger = Ledger(cap: 4);
            var promised = ledger.GuaranteeAtCap(Release);
            Near.Relative(AnalyticGaussian.Epsilon(4, 1e-6), promised.Epsilon, 1e-12);
            Take(ledger, "a", 4);
            var outcome = ledger.TryCharge("a", Release);
            Assert.False(outcome.Charged);
            Assert.Contains("cap of 4", outcome.Reason, StringComparison.Ordinal);
            Assert.Equal(4, ledger.Participations("a"));
            Assert.Equal(promised.Epsilon, ledger.Guarantee().Epsilon);
        }

        [Fact]
        public void Is_needed_for_a_bound_in_advance() => Assert.Throws<PrivacyException>(() => Ledger().GuaranteeAtCap(Release));
    }

    public sealed class Budget
    {
        [Fact]
        public void Stops_a_client_before_the_release_that_would_exceed_it()
        {
            var ledger = Ledger(budget: 1);
            var allowed = Calibration.Steps(new AnalyticGaussianAccountant(), Release, 1, 1e-6);
            Take(ledger, "a", (int)allowed);
            Assert.False(ledger.TryCharge("a", Release).Charged);
            Assert.True(ledger.Guarantee().Epsilon <= 1);
            Assert.True(ledger.TryCharge("b", Release).Charged, "another client still may");
        }
    }

    public sealed class NaiveEstimate
    {
        /// <summary>Ten fast clients of 1000 do all the work: the average rate says almost nothing about them.</summary>
        [Fact]
        public void Understates_what_the_busy_clients_have_spent_and_says_what_it_lacks()
        {
            var ledger = Ledger();
            for (var i = 0; i < 10; i++)
            {
                Take(ledger, $"fast{i}", 100);
            }

            var naive = ledger.NaiveEstimate(Release, population: 1000, releases: 100);
            Assert.Equal(0.01, naive.AverageProbability);
            Assert.True(ledger.Guarantee().Epsilon > 20 * naive.Epsilon, $"{ledger.Guarantee().Epsilon} against {naive.Epsilon}");
            Assert.Contains("coins", naive.MissingPremise, StringComparison.Ordinal);
        }
    }

    public sealed class Checkpoint
    {
        [Fact]
        public void Restores_every_client()
        {
            var ledger = Ledger();
            Take(ledger, "a", 3);
            Take(ledger, "b", 5, new GaussianEvent(NeighbourRelation.ZeroOutParticipation, 30));
            var restored = Ledger();
            restored.Restore(ledger.Entries());
            Assert.Equal(ledger.Guarantee(), restored.Guarantee());
            Assert.Equal(ledger.ClientGuarantee("b"), restored.ClientGuarantee("b"));
        }
    }

    public sealed class Refusals
    {
        [Fact]
        public void Another_unit() => Assert.Contains("one client participation", Assert.Throws<PrivacyException>(
            () => Ledger().TryCharge("a", new GaussianEvent(NeighbourRelation.AddRemoveClient, 1))).Message, StringComparison.Ordinal);

        [Fact]
        public void Another_adjacency_than_before()
        {
            var ledger = Ledger();
            Take(ledger, "a", 1);
            Assert.Throws<PrivacyException>(() => ledger.TryCharge("a", new GaussianEvent(NeighbourRelation.ReplaceOneParticipation, 1)));
        }

        [Theory]
        [InlineData(0, 0, 0)]
        [InlineData(1, 0, 0)]
        [InlineData(0.1, -1, 0)]
        [InlineData(0.1, 0, -1)]
        public void Options_out_of_range(double delta, int cap, double budget) => Assert.Throws<PrivacyException>(() =>
            new ParticipationAccountant<int>(new ParticipationAccountantOptions { Delta = delta, ParticipationCap = cap, EpsilonBudget = budget }));
    }
}
