using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;

namespace Federated.Privacy.Tests.Statements;

public static partial class PrivacyStatementTests
{
    private const string Everywhere =
        "That a client takes part, when, and from which address: the network and the coordinator see it";

    private const string Groups =
        "What is true of many clients alike, and people whose data lie at several clients: each client is hidden, a group of k clients only with k times the ε and a larger δ";

    private const string Device = "What the device's own software sends beside the update, and the device itself";

    private static readonly RunFacts Facts = new()
    {
        Dimension = 50, Clients = 1000, PlannedReleases = 20, UpdatesPerRelease = 100, LeastUpdatesPerRelease = 100, LocalSteps = 5, MostUpdatesPerSession = 100,
    };

    private static PrivacyPolicy<double> Create(PrivacyOptions options, RunFacts? facts = null, bool isReal = true) => PrivacyPolicies.Create<double>(
        options, facts ?? Facts, isReal ? new ReleaseRandom(ReleaseRandom.NewKey()) : new SimulationRandom(1));

    private static string TextOf(PrivacyOptions options, StatementSetting? setting = null, int releases = 0)
    {
        var policy = Create(options);
        Take(policy, releases);
        return PrivacyStatement.Of(policy, setting ?? StatementSetting.Served).Text;
    }

    /// <summary>So many releases of a hundred clients, the same each time.</summary>
    private static void Take(PrivacyPolicy<double> policy, int releases)
    {
        for (var i = 0; i < releases; i++)
        {
            for (var client = 0; client < 100; client++)
            {
                Assert.Null(policy.Admit(client, new double[50], 1));
            }

            policy.Release(new double[50], 100);
        }
    }

    [GeneratedRegex(@"ε₀? = (?<number>\d+(\.\d+)?(e-?\d+)?)")]
    private static partial Regex Epsilons();

    public sealed class The_text
    {
        [Fact]
        public void Of_a_run_without_a_policy_promises_nothing() => Assert.Equal(
            "Policy: none. Nothing is guaranteed: no ε bounds what updates, or the published versions, reveal of a client's data. Data stay at the clients, and updates travel. "
            + "The coordinator sees every client's update as it is. Not protected: (1) Everything that an update, or a published version, tells of the data that it was computed from; "
            + $"(2) {Everywhere}; (3) {Device}.",
            PrivacyStatement.None(StatementSetting.Served).Text);

        [Fact]
        public void Of_central_noise_says_who_is_trusted_and_what_was_spent()
        {
            var noise = AnalyticGaussian.NoiseMultiplier(4, 1e-6) * Math.Sqrt(12);
            var spent = AnalyticGaussian.Epsilon(noise / Math.Sqrt(2), 1e-6);
            Assert.Equal(
                "Policy: central (dp-fedavg). Hidden is one client, with all that it contributes over the whole run, against the alternative that it had contributed nothing "
                + "(neighbouring relation: zero-out client). The run costs each client at most ε = 4 at δ = 1e-6; so far the client that it cost most has spent "
                + $"ε = {Figures.Up(spent)} at δ = 1e-6. Upper bounds, by the accountant analytic-gaussian. Trusted: the coordinator, which sees every client's update, clipped to L2 norm 0.5, "
                + $"without noise, until it is added to a sum. Whoever is given the published versions or the metrics sees what has been released: sums, each with Gaussian noise of {Figures.Down(noise)} "
                + "times the bound. No client takes part more than 12 times, all that the policy's cap allows. Every step is charged before it is taken, and the run ends before one that would go "
                + "further. This holds as long as all of these do: (1) No client takes part more than 12 times, which the ledger enforces; (2) Every participation is charged before the release that it "
                + "enters; nothing is amplified by sampling; (3) The noise of the releases is fixed in advance, drawn from cryptographic randomness, and never revealed. Not protected: (1) Single updates, "
                + $"towards whoever controls the coordinator or breaks into it; (2) How many examples a client holds, where it tells the coordinator: operators and viewers of the run see it; (3) {Everywhere}; (4) {Groups}; (5) {Device}.",
                TextOf(new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { ClipNorm = 0.5 }, Epsilon = 4, MaxParticipations = 12 }, releases: 2));
            Assert.Equal("1.49", Figures.Up(spent)); // σ = 1.1935·√6 = 2.9235 of two contributions (privacy.md §0.4 has σ(4, 1e-6) = 1.1935).
        }

        [Fact]
        public void Of_a_branch_tells_what_it_inherited_and_the_sum()
        {
            var policy = Create(new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { ClipNorm = 0.5, NoiseMultiplier = 4 }, MaxParticipations = 1 });
            var own = PrivacyStatement.Of(policy, StatementSetting.Served);
            var before = own.Planned! with { Epsilon = 2, Delta = 1e-6, Assumptions = ["In run 'a': it was so."] };
            var branch = own with { Inherited = new PrivacyInheritance("a", 7, InheritanceBasis.AtVersion, before), Planned = own.Planned! with { Epsilon = 1.5 } };
            Assert.Contains(
                "The run was branched from version 7 of 'a', which had already cost a client up to ε = 2 at δ = 1e-6 when it was published. In all, a client that took part in both is left with at "
                + "most ε = 3.5 at δ = 2e-6, of which ε = 2 at δ = 1e-6 was spent before the branch, by basic composition: ε adds, δ adds. Trusted: ", branch.Text, StringComparison.Ordinal);
            Assert.Contains("(4) In run 'a': it was so", branch.Text, StringComparison.Ordinal);
            Assert.Contains(
                "of which ε = 2.5 at δ = 2e-6 has been spent so far", (branch with { Spent = own.Planned! with { Epsilon = 0.5 } }).Text, StringComparison.Ordinal);
            Assert.Contains("branched from version 7 of 'a', which no client's data had been used for: it inherits no cost.",
                (own with { Inherited = new PrivacyInheritance("a", 7, InheritanceBasis.Nothing) }).Text, StringComparison.Ordinal);
            foreach (var basis in (InheritanceBasis[])[InheritanceBasis.Unbounded, InheritanceBasis.Unknown])
            {
                var unbounded = own with { Inherited = new PrivacyInheritance("a", 7, basis) };
                Assert.Contains("the cost of both together.", unbounded.Text, StringComparison.Ordinal);
                Assert.Null(unbounded.TotalPlanned);
                Assert.NotNull((unbounded with { Terms = own.Terms with { EpsilonBudget = 100 } }).RefusalOfInheritance());
            }

            // Examples are no clients: nothing is claimed of the sum of unlike units, and replace-one counts as zero-out.
            PrivacyInheritance Of(NeighbourRelation relation) => new("a", 7, InheritanceBasis.Latest, before with { Relation = relation });
            Assert.Null((own with { Inherited = Of(new NeighbourRelation(PrivacyUnit.Example, Adjacency.ReplaceOne)) }).TotalPlanned);
            Assert.Equal(Adjacency.ZeroOut, (own with { Inherited = Of(new NeighbourRelation(PrivacyUnit.Client, Adjacency.ReplaceOne)) }).TotalPlanned!.Relation.Adjacency);

            // The budget is for both.
            Assert.Null((branch with { Terms = own.Terms with { EpsilonBudget = 3.5 } }).RefusalOfInheritance());
            Assert.Contains("together 3.5, more than the budget of ε = 3.4, which covers both. Let the branch itself plan ε = 1.4 at most",
                (branch with { Terms = own.Terms with { EpsilonBudget = 3.4 } }).RefusalOfInheritance(), StringComparison.Ordinal);
        }

        [Fact]
        public void Of_correlated_noise_names_the_pattern_that_it_covers()
        {
            var text = TextOf(new CentralPrivacyOptions { Mechanism = new DpFtrlOptions { MaxParticipations = 4, MinSeparation = 5 }, Epsilon = 4 });
            Assert.StartsWith("Policy: central (dp-ftrl). Hidden is one client, with all that it contributes over the whole run, against the alternative that it had contributed nothing", text, StringComparison.Ordinal);
            Assert.Contains("The run costs each client at most ε = 4 at δ = 1e-6; nothing has been spent yet. Upper bounds, by the accountant analytic-gaussian.", text, StringComparison.Ordinal);
            Assert.Contains("No client takes part more than 4 times, nor twice within 5 releases, all that the guarantee covers. The run publishes at most 20 versions, all that the guarantee covers.", text, StringComparison.Ordinal);
            Assert.Contains("(2) No client contributes more than 4 times to the run, any two contributions at least 5 releases apart; a gate enforces it.", text, StringComparison.Ordinal);
        }

        [Fact]
        public void Of_local_reports_trusts_nobody()
        {
            var text = TextOf(new LocalPrivacyOptions { ReportEpsilon = 4, MaxParticipations = 3 });
            Assert.StartsWith(
                "Policy: local (privunitg). Hidden is one client, with all that it contributes over the whole run, against the alternative that it had held any other data "
                + "(neighbouring relation: replace-one client). The run costs each client at most ε = 12 at δ = 1e-6; nothing has been spent yet. Upper bounds, by the accountant pld. "
                + "Nobody has to be trusted but the client's own device. The coordinator sees every client's report, randomised on its device with ε₀ = 4. No client takes part more than 3 times",
                text, StringComparison.Ordinal);
        }

        [Fact]
        public void Of_shuffled_reports_says_what_a_malicious_shuffler_leaves()
        {
            var amplified = new PldAccountant().Epsilon(
                new ShuffledEvent(PrivacyUnit.ClientParticipation, LocalRandomizer.Generic(2), 100).Repeated(6), 1e-6);
            var text = TextOf(new ShufflePrivacyOptions { ReportEpsilon = 2, MaxParticipations = 6 }, new StatementSetting { Shufflers = ["https://shuffler.example:7441"] });
            Assert.Contains($"The run costs each client at most ε = {Figures.Up(amplified)} at δ = 1e-6;", text, StringComparison.Ordinal);
            Assert.Contains(
                "Where the shuffler is malicious, or colludes with the coordinator, each report is left with its own ε₀ = 2, and a client that reports as often as it may with ε = 12 at δ = 1e-6. "
                + "Trusted: the shuffler https://shuffler.example:7441, which sees who sends a report and when, and nothing of what is in it; relied on to permute whole batches and not to collude with the "
                + "coordinator. The coordinator sees whole batches of 100 or more reports, each randomised on its device with ε₀ = 2, without their senders.",
                text, StringComparison.Ordinal);
            Assert.True(amplified < 12, $"shuffling amplified nothing: {amplified}");
        }

        [Fact]
        public void Of_single_examples_says_that_clients_are_not_hidden()
        {
            var text = TextOf(new ExamplePrivacyOptions { ClipNorm = 0.5, NoiseMultiplier = 1.25, SamplingRate = 0.1, MaxParticipations = 3, Delta = 1e-5 });
            Assert.StartsWith("Policy: example (dp-sgd). Hidden is one example of one client, against the alternative that the client had not held it (neighbouring relation: add-remove example).", text, StringComparison.Ordinal);
            Assert.Contains(
                "Nobody has to be trusted but the client's own device. The coordinator sees every client's update, learnt on its device from gradients that were clipped to L2 norm 0.5 example by example, "
                + "with Gaussian noise of 1.25 times that in every step.", text, StringComparison.Ordinal);
            Assert.Contains("Not protected: (1) A client as a whole, and whatever all of its examples have in common", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Groups, text, StringComparison.Ordinal);
        }

        [Fact]
        public void Of_a_simulation_begins_with_that_nobody_is_protected() => Assert.StartsWith(
            "This was a simulation, whose randomness can be repeated from its seed: it protects nobody.",
            PrivacyStatement.Of(Create(new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 2 } }, isReal: false), StatementSetting.Simulation).Text, StringComparison.Ordinal);

        [Fact]
        public void Of_an_unbounded_run_says_so_and_still_what_is_hidden()
        {
            var text = TextOf(new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 2 } });
            Assert.Contains("against the alternative that it had contributed nothing", text, StringComparison.Ordinal);
            Assert.Contains("Nothing bounds in advance what the run will cost; nothing has been spent yet.", text, StringComparison.Ordinal);
            Assert.DoesNotContain("at most ε", text, StringComparison.Ordinal);
        }

        [Fact]
        public void Of_secure_sums_relies_on_the_other_clients_and_promises_no_epsilon_without_noise()
        {
            var sums = TextOf(new SecureSumOptions { Dropout = 0 });
            Assert.StartsWith("Policy: secure-sum", sums, StringComparison.Ordinal);
            Assert.Contains("No ε is guaranteed", sums, StringComparison.Ordinal);
            Assert.Contains("Trusted: the other clients of a session", sums, StringComparison.Ordinal);
            Assert.DoesNotContain("at most ε", sums, StringComparison.Ordinal);
            var noisy = TextOf(new DistributedPrivacyOptions { Epsilon = 4, MaxParticipations = 3, Dropout = 0 });
            Assert.Contains("The run costs each client at most ε = ", noisy, StringComparison.Ordinal);
            Assert.Contains("collude with the coordinator", noisy, StringComparison.Ordinal);
            Assert.DoesNotContain("Nobody has to be trusted", sums + noisy, StringComparison.Ordinal);
        }

        [Fact]
        public void Of_a_secure_sum_keeps_single_updates_from_the_coordinator()
        {
            var text = TextOf(new CentralPrivacyOptions { Epsilon = 4, MaxParticipations = 12 }, new StatementSetting { SumThreshold = 40 });
            Assert.Contains("the coordinator, which sees sums of the updates of 40 or more clients, clipped to L2 norm 1, without noise, and no single update as long as fewer than 40 of them collude with it", text, StringComparison.Ordinal);
            Assert.DoesNotContain("Single updates, towards", text, StringComparison.Ordinal);
        }
    }

    public sealed class Every_policy
    {
        /// <summary>Policies that a run may be configured with; what a new kind adds here, it must have a statement for.</summary>
        public static TheoryData<PrivacyOptions> All { get; } = Grid();

        private static TheoryData<PrivacyOptions> Grid()
        {
            var all = new TheoryData<PrivacyOptions> { new NoPrivacyOptions(), new SecureSumOptions { Dropout = 0 } };
            foreach (var epsilon in (double[])[1.23456, 9.999])
            {
                foreach (var cap in (int[])[0, 7])
                {
                    all.Add(new CentralPrivacyOptions { Epsilon = epsilon, MaxParticipations = cap, Delta = 3e-7 });
                    all.Add(new CentralPrivacyOptions { Epsilon = epsilon, MaxParticipations = cap, AdaptiveClipping = new AdaptiveClipOptions() });
                    all.Add(new CentralPrivacyOptions { Mechanism = new DpFtrlOptions { MaxParticipations = Math.Max(1, cap), MinSeparation = 2 }, Epsilon = epsilon });
                    all.Add(new LocalPrivacyOptions { ReportEpsilon = epsilon, MaxParticipations = cap });
                    all.Add(new LocalPrivacyOptions { ReportEpsilon = 0.33, Epsilon = epsilon, Randomizer = "halfspace" });
                    all.Add(new DistributedPrivacyOptions { Epsilon = epsilon, MaxParticipations = Math.Max(1, cap), Dropout = 0 });
                    all.Add(new ShufflePrivacyOptions { ReportEpsilon = epsilon, MaxParticipations = cap, AssumedCorrupt = 10 });
                    all.Add(new ExamplePrivacyOptions { NoiseMultiplier = 2, SamplingRate = 0.05, Epsilon = cap == 0 ? epsilon : 0, MaxParticipations = cap, Delta = 1e-5 });
                }
            }

            return all;
        }

        [Fact]
        public void Kind_is_in_the_grid() => Assert.Equal(
            typeof(PrivacyOptions).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(a => a.DerivedType.Name).Order(StringComparer.Ordinal),
            ((IEnumerable<object[]>)All).Select(row => row[0].GetType().Name).Distinct().Order(StringComparer.Ordinal));

        [Theory]
        [MemberData(nameof(All))]
        public void Promises_no_more_than_its_accountant(PrivacyOptions options)
        {
            var policy = Create(options);
            foreach (var releases in (int[])[0, 1])
            {
                Take(policy, releases);
                var statement = PrivacyStatement.Of(policy, StatementSetting.Served);
                Assert.NotEmpty(statement.Parties);
                Assert.NotEmpty(statement.NotProtected);
                Assert.Equal((policy.Planned, policy.Spent), (statement.Planned, statement.Spent));
                var text = statement.Text;
                var promised = Epsilons().Matches(text.Split("This holds as long")[0]).Select(m => double.Parse(m.Groups["number"].Value, CultureInfo.InvariantCulture)).ToList();
                foreach (var number in (IEnumerable<double?>)[policy.Planned?.Epsilon, policy.Spent?.Epsilon, policy.Terms.WithoutShuffling?.Epsilon, policy.Terms.ReportEpsilon is > 0 and var e ? e : null])
                {
                    // Printed as it was computed, or the next number up of four digits.
                    Assert.True(number is not { } least || promised.Exists(p => p >= least && p <= (least * 1.0011)), $"{number} is not in: {text}");
                }

                Assert.True(policy.Planned is not null || policy.Spent is not null || !text.Contains("at most ε", StringComparison.Ordinal), text);
                Assert.Contains(policy.Planned?.Accountant ?? "", text, StringComparison.Ordinal);
                Assert.All(statement.Assumptions, assumption => Assert.Contains(assumption.TrimEnd('.'), text, StringComparison.Ordinal));
                Assert.All(statement.NotProtected, sentence => Assert.Contains(sentence.TrimEnd('.'), text, StringComparison.Ordinal));
            }
        }

        [Theory]
        [MemberData(nameof(All))]
        public void Trusts_the_coordinator_exactly_when_updates_reach_it_without_noise(PrivacyOptions options) => Assert.Equal(
            options is CentralPrivacyOptions or NoPrivacyOptions,
            PrivacyStatement.Of(Create(options), StatementSetting.Served).Parties.Any(p => p.IsTrusted && p.Party == "the coordinator"));
    }

    public sealed class Numbers
    {
        [Theory]
        [InlineData(4, "4")]
        [InlineData(3.9999999999, "4")]
        [InlineData(1.00001, "1.001")]
        [InlineData(9.99951, "10")]
        [InlineData(1e-6, "1e-6")]
        [InlineData(1.23456e-7, "1.235e-7")]
        [InlineData(0.012341, "0.01235")]
        [InlineData(123456, "123500")]
        [InlineData(double.PositiveInfinity, "∞")]
        [InlineData(0, "0")]
        public void Are_rounded_up(double value, string text) => Assert.Equal(text, Figures.Up(value));

        [Fact]
        public void Are_never_below_what_they_stand_for_nor_far_above()
        {
            using var random = new SimulationRandom(77);
            Span<byte> drawn = stackalloc byte[4];
            for (var i = 0; i < 20_000; i++)
            {
                random.Fill(drawn);
                var value = Math.Exp((BitConverter.ToUInt32(drawn) / (double)uint.MaxValue * 40) - 30);
                var (up, down) = (double.Parse(Figures.Up(value), CultureInfo.InvariantCulture), double.Parse(Figures.Down(value), CultureInfo.InvariantCulture));
                Assert.InRange(up, value, value * 1.0011);
                Assert.InRange(down, value / 1.0011, value);
            }
        }
    }
}
