using System.Globalization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Http;
using Federated.Coordinator.Tests.Storage;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;

namespace Federated.Coordinator.Tests.Privacy;

public static class LifetimeLedgerTests
{
    private static readonly LifetimeBudget Budget = new() { Epsilon = 10, Delta = 1e-5 };

    private static PrivacyStatement Costing(double epsilon, double delta = 1e-6) => new()
    {
        Policy = PrivacyPolicies.Central,
        Terms = new PolicyTerms(),
        Planned = new PrivacyGuarantee
        {
            Epsilon = epsilon, Delta = delta, Relation = new NeighbourRelation(PrivacyUnit.Client, Adjacency.ZeroOut), Trust = TrustModel.Central, Accountant = "pld", Assumptions = [],
        },
        Parties = [],
        NotProtected = [],
    };

    private static RunEntry Run(string id, int day = 1) => new(id, new DateTimeOffset(2026, 1, day, 0, 0, 0, TimeSpan.Zero), ReadOnlyMemory<byte>.Empty, null);

    private static LifetimeLedger Ledger(FaultyFileSystem disk) => new(new FileDocumentStore(disk, "documents"), Budget);

    public sealed class A_client
    {
        [Fact]
        public async Task Takes_part_as_long_as_its_runs_fit_together()
        {
            var ledger = Ledger(new FaultyFileSystem(1));
            Assert.Null(await ledger.ReserveAsync("c-1", Run("a"), Costing(4), default));
            Assert.Null(await ledger.ReserveAsync("c-1", Run("b"), Costing(6), default)); // To the last bit of it.
            var refusal = await ledger.ReserveAsync("c-1", Run("c"), Costing(0.5), default);
            Assert.Equal(
                "This run may cost a client ε = 0.5 at δ = 1e-6. Of the ε = 10 and δ = 1e-5 that all runs of this coordinator together may cost it, 10 and 2e-6 are spent or reserved by a, b. "
                + "It takes no part in this run.", refusal);
            Assert.Null(await ledger.ReserveAsync("c-2", Run("c"), Costing(0.5), default));
            Assert.Equal(["a", "b"], (await ledger.EntriesAsync("c-1", default)).Select(e => e.Run));
        }

        [Fact]
        public async Task Runs_out_of_delta_too()
        {
            var ledger = Ledger(new FaultyFileSystem(1));
            Assert.Null(await ledger.ReserveAsync("c-1", Run("a"), Costing(1, 6e-6), default));
            Assert.NotNull(await ledger.ReserveAsync("c-1", Run("b"), Costing(1, 6e-6), default));
        }

        [Fact]
        public async Task Is_charged_once_for_a_run_and_again_for_another_of_the_same_name()
        {
            var ledger = Ledger(new FaultyFileSystem(1));
            for (var i = 0; i < 5; i++)
            {
                Assert.Null(await ledger.ReserveAsync("c-1", Run("a"), Costing(6), default));
            }

            Assert.Null(await ledger.ReserveAsync("c-1", Run("a", day: 2), Costing(4), default));
            Assert.NotNull(await ledger.ReserveAsync("c-1", Run("a", day: 3), Costing(4), default));
        }

        [Fact]
        public async Task Of_any_name_has_a_ledger_of_its_own()
        {
            var ledger = Ledger(new FaultyFileSystem(1));
            Assert.Null(await ledger.ReserveAsync("CN=Ward 7/../x, O=Zürich", Run("a"), Costing(10), default));
            Assert.NotNull(await ledger.ReserveAsync("CN=Ward 7/../x, O=Zürich", Run("b"), Costing(1), default));
            Assert.Null(await ledger.ReserveAsync("CN=Ward 8", Run("b"), Costing(1), default));
        }
    }

    public sealed class A_run
    {
        [Fact]
        public void That_nothing_bounds_is_for_nobody() =>
            Assert.Contains("nothing bounds in advance", Ledger(new FaultyFileSystem(1)).RefusalOf(PrivacyStatement.None(StatementSetting.Served)), StringComparison.Ordinal);

        [Fact]
        public void That_costs_more_than_a_life_is_for_nobody() =>
            Assert.Contains("may cost one client ε = 11 at δ = 1e-6, more than", Ledger(new FaultyFileSystem(1)).RefusalOf(Costing(11)), StringComparison.Ordinal);
    }

    public sealed class Two_doors
    {
        /// <summary>Says that nothing is there, as to somebody who looked a moment before the other wrote.</summary>
        private sealed class LateReader(IDocumentStore inner) : IDocumentStore
        {
            private bool looked;

            public Func<Task>? Meanwhile { get; set; }

            public ValueTask<byte[]?> ReadAsync(string name, CancellationToken cancellation) => inner.ReadAsync(name, cancellation);

            public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => inner.CreateAsync(name, content, cancellation);

            public ValueTask WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => inner.WriteAsync(name, content, cancellation);

            public ValueTask DeleteAsync(string name, CancellationToken cancellation) => inner.DeleteAsync(name, cancellation);

            public async ValueTask<IReadOnlyList<string>> ListAsync(string folder, CancellationToken cancellation)
            {
                var names = await inner.ListAsync(folder, cancellation);
                if (!looked && Meanwhile is not null)
                {
                    looked = true;
                    await Meanwhile();
                }

                return names;
            }
        }

        [Fact]
        public async Task Never_admit_a_client_to_more_than_its_budget_between_them()
        {
            var documents = new FileDocumentStore(new FaultyFileSystem(1), "documents");
            var late = new LateReader(documents) { Meanwhile = async () => Assert.Null(await new LifetimeLedger(documents, Budget).ReserveAsync("c-1", Run("a"), Costing(6), default)) };
            Assert.Contains("spent or reserved by a", await new LifetimeLedger(late, Budget).ReserveAsync("c-1", Run("b"), Costing(6), default), StringComparison.Ordinal);
        }
    }

    public sealed class A_crash
    {
        [Fact]
        public async Task Between_any_two_file_operations_refunds_nothing_that_was_reserved()
        {
            var (crashes, reserved) = (0, 0);
            for (var seed = 0UL; seed < 12; seed++)
            {
                for (var at = 1; ; at++)
                {
                    var disk = new FaultyFileSystem((seed * 1000) + (ulong)at) { CrashIn = at };
                    var acknowledged = new List<string>();
                    try
                    {
                        var ledger = Ledger(disk);
                        for (var run = 0; run < 4; run++)
                        {
                            var id = string.Create(CultureInfo.InvariantCulture, $"run-{run}");
                            if (await ledger.ReserveAsync("c-1", Run(id), Costing(3), default) is null)
                            {
                                acknowledged.Add(id);
                            }
                        }
                    }
                    catch (Exception e) when (e is CrashException || e.InnerException is CrashException)
                    {
                        crashes++;
                    }

                    var crashed = disk.IsDown;
                    disk.CrashIn = -1;
                    disk.Restart();
                    var after = Ledger(disk);
                    var entries = await after.EntriesAsync("c-1", default);
                    Assert.Subset(entries.Select(e => e.Run).ToHashSet(), acknowledged.ToHashSet());
                    Assert.True(entries.Sum(e => e.Epsilon) <= Budget.Epsilon, "More was reserved than there is.");
                    Assert.Equal(entries.Count, entries.Select(e => e.Run).Distinct().Count());
                    Assert.Equal(Math.Max(0, 3 - entries.Count), await Admitted(after));
                    reserved += acknowledged.Count;
                    if (!crashed)
                    {
                        Assert.Equal(3, acknowledged.Count);
                        break;
                    }
                }
            }

            Assert.True(crashes > 100 && reserved > 100, $"Only {crashes} crashes and {reserved} reservations: the test would show little.");
        }

        /// <summary>How many runs more the client is admitted to.</summary>
        private static async Task<int> Admitted(LifetimeLedger ledger)
        {
            var admitted = 0;
            while (await ledger.ReserveAsync("c-1", Run(string.Create(CultureInfo.InvariantCulture, $"later-{admitted}")), Costing(3), default) is null)
            {
                admitted++;
            }

            return admitted;
        }
    }

    public sealed class A_coordinator
    {
        [Fact]
        public async Task Turns_a_client_away_whose_budget_other_runs_have_taken_even_after_they_are_gone()
        {
            string folder;
            Func<Federated.Coordinator.Http.CoordinatorOptions, Federated.Coordinator.Http.CoordinatorOptions> budget = options => options with { ClientBudget = new LifetimeBudget { Epsilon = 8 } };
            string key;
            await using (var server = await TestServer.StartAsync(change: budget))
            {
                folder = server.HandOver();
                using var refused = await server.SendAsync(HttpMethod.Post, "/v1/runs", server.Local.OperatorToken, """{"configuration":"buffered 10 2"}""");
                Assert.Contains("nothing bounds in advance what this run costs", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

                // Each may cost ε = 4.152 at δ = 1e-6.
                var first = await server.CreateRunAsync("private 10 2 3 3");
                var second = await server.CreateRunAsync("private 10 2 3 3");
                var client = await TestClient.EnrolAsync(server);
                await client.CheckInAsync(first, wait: 0);
                var problem = await TestServer.RefusedAsync(Federated.Coordinator.Http.Problems.PrivacyBudget, client.CheckInRawAsync(second));
                Assert.Contains("spent or reserved by", problem.Detail, StringComparison.Ordinal);
                await client.CheckInAsync(first, wait: 0); // It stays where it is.

                using var deleted = await server.SendAsync(HttpMethod.Delete, $"/v1/runs/{first}", server.Local.OperatorToken);
                await TestServer.RefusedAsync(Federated.Coordinator.Http.Problems.PrivacyBudget, client.CheckInRawAsync(second));
                var own = await PrivacyEndpointTests.PrivacyOfAsync(server, second, client.Token);
                Assert.Equal(8, own.Lifetime!.Epsilon);
                Assert.InRange(own.Lifetime.UsedEpsilon!.Value, 4.001, 8);
                key = client.Id;
            }

            await using (var store = FileStore.Open(Path.Combine(folder, "store")))
            {
                Assert.Single(await new LifetimeLedger(store.Documents, new LifetimeBudget { Epsilon = 8 }).EntriesAsync(key, default));
            }

            Directory.Delete(folder, recursive: true);
        }
    }
}
