using System.Net;
using System.Text.Json;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Tests.Hosting;
using Federated.Privacy.Accounting;
using Federated.Protocol.Wire;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

/// <summary>One run cannot be read: the coordinator is ready, serves the others, says what is wrong to whom it concerns, and counts nothing as unspent that it does not know.</summary>
public sealed class DamagedRunTests
{
    private static readonly LifetimeBudget Budget = new() { Epsilon = 10, Delta = 1e-4 };

    /// <summary>A coordinator on the folder of one that was killed, after which the log of one of its runs was damaged.</summary>
    private static async Task<(TestServer Server, string Damaged, long Lease, TestClient Client)> StartAsync(string configuration, Func<CoordinatorOptions, CoordinatorOptions>? change = null)
    {
        FalteringStore? store = null;
        string folder, run;
        long lease;
        TestClient client;
        await using (var before = await TestServer.StartAsync(change: change, watch: inner => store = new FalteringStore(inner)))
        {
            folder = before.HandOver();
            run = await before.CreateRunAsync(configuration);
            client = await TestClient.EnrolAsync(before, "ward");
            var first = (await client.CheckInAsync(run)).Assignment!;
            Assert.True((await client.SendAsync(run, first.Id, TestClient.Envelope(first.Id))).Accepted);
            lease = (await client.CheckInAsync(run)).Assignment!.Id;
            store!.BeforeSnapshot = () => throw new StorageException("It is killed.");
        }

        var log = Directory.GetFiles(Path.Combine(folder, "store", "runs"), "log-*", SearchOption.AllDirectories).Single();
        var bytes = await File.ReadAllBytesAsync(log);
        bytes[bytes.Length / 3] ^= 1;
        await File.WriteAllBytesAsync(log, bytes);
        var server = await TestServer.StartAsync(folder, change);
        var again = client.On(server);
        again.Token = await again.GetTokenAsync(again.Assertion());
        return (server, run, lease, again);
    }

    private static async Task<T> GetAsync<T>(TestServer server, string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        using var response = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonSerializer.Deserialize(body, type)!;
    }

    [Fact]
    public async Task The_coordinator_is_ready_and_serves_the_others()
    {
        var (server, run, _, client) = await StartAsync("buffered 10 2");
        await using var owned = server;
        Assert.Equal("ready\n", await server.Http.GetStringAsync("/readyz"));
        var other = await server.CreateRunAsync("buffered 10 3");
        Assert.NotEqual(run, other);
        await client.AssertUnharmedAsync(other);
        var metrics = await server.Http.GetStringAsync("/metrics");
        Assert.Contains($"federated_run_open{{run=\"{run}\",state=\"damaged\"}} 0", metrics, StringComparison.Ordinal);
        Assert.Contains($"federated_run_open{{run=\"{other}\",state=\"open\"}} 1", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Operators_are_told_which_file_and_what_to_do()
    {
        var (server, run, _, _) = await StartAsync("buffered 10 2");
        await using var owned = server;
        var listed = Assert.Single((await GetAsync(server, "/v1/runs", WireJson.Default.RunList)).Runs);
        var shown = (await GetAsync(server, $"/v1/runs/{run}", WireJson.Default.RunDetailMessage)).Summary;
        foreach (var summary in (RunSummaryMessage[])[listed, shown])
        {
            Assert.Equal("damaged", summary.State);
            Assert.Contains("is damaged at byte", summary.Detail, StringComparison.Ordinal);
            Assert.Contains("restore the folder from a backup", summary.Detail, StringComparison.Ordinal);
        }

        foreach (var verb in (string[])["pause", "resume", "stop"])
        {
            var refused = await RefusedAsync(Problems.RunFailed, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}:{verb}", server.Local.OperatorToken, "{}"));
            Assert.Contains("is damaged at byte", refused.Detail, StringComparison.Ordinal);
        }

        await RefusedAsync(Problems.RunFailed, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}:branch", server.Local.OperatorToken, """{"version":"latest"}"""));
        await RefusedAsync(Problems.RunFailed, server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/models/latest", server.Local.OperatorToken));
        await RefusedAsync(Problems.RunFailed, server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/card", server.Local.OperatorToken));
        using var deleted = await server.SendAsync(HttpMethod.Delete, $"/v1/runs/{run}", server.Local.OperatorToken);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Empty((await GetAsync(server, "/v1/runs", WireJson.Default.RunList)).Runs);
    }

    /// <summary>A client that were told that it is not in the run would throw its finished update away.</summary>
    [Fact]
    public async Task Clients_keep_what_they_have_and_are_told_when_to_come_back()
    {
        var (server, run, lease, client) = await StartAsync("buffered 10 2");
        await using var owned = server;
        foreach (var asking in (Func<Task<HttpResponseMessage>>[])
            [() => client.CheckInRawAsync(run), () => client.SendRawAsync(run, lease, TestClient.Envelope(lease)), () => server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/assignments/{lease}", client.Token)])
        {
            TimeSpan? wait = null;
            var refused = await RefusedAsync(Problems.RunFailed, Noting(asking(), response => wait = response.Headers.RetryAfter?.Delta));
            Assert.Equal(TimeSpan.FromMinutes(1), wait);
            Assert.DoesNotContain("store/", refused.Detail, StringComparison.Ordinal); // Where it lies is not theirs to know.
            Assert.DoesNotContain("log-", refused.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_it_may_have_cost_counts_as_spent()
    {
        var (server, run, _, _) = await StartAsync("private 10 1 3 3");
        await using var owned = server;
        var most = AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-6);
        var privacy = await PrivacyEndpointTests.PrivacyOfAsync(server, run, server.Local.OperatorToken);
        Assert.Equal(most, privacy.Statement.Spent!.Epsilon!.Value, 1e-9);
        Assert.Contains("its ledger cannot be read, so that it counts as having cost all of that", privacy.Statement.Text, StringComparison.Ordinal);
        Assert.Equal(privacy.Statement.Text, privacy.Statement.ToStatement().Text);
        Assert.Equal(most, Assert.Single((await GetAsync(server, "/v1/runs", WireJson.Default.RunList)).Runs).Epsilon!.Value, 1e-9);
    }

    /// <summary>What a client may lose over all runs was written down before it joined, outside of the run: no damage of the run gives it back, nor its deletion.</summary>
    [Fact]
    public async Task It_gives_nobody_a_budget_back()
    {
        var most = AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-6);
        var (server, run, _, client) = await StartAsync("private 10 1 3 3", o => o with { ClientBudget = Budget with { Epsilon = 1.5 * most } });
        await using var owned = server;
        for (var round = 0; round < 2; round++)
        {
            var privacy = await PrivacyEndpointTests.PrivacyOfAsync(server, run, client.Token);
            Assert.Equal(most, privacy.Lifetime!.UsedEpsilon!.Value, 1e-9);
            var next = await server.CreateRunAsync("private 10 1 3 3");
            await RefusedAsync(Problems.PrivacyBudget, client.CheckInRawAsync(next));
            if (round == 0)
            {
                (await server.SendAsync(HttpMethod.Delete, $"/v1/runs/{run}", server.Local.OperatorToken)).Dispose();
                run = next;
            }
        }
    }

    private static async Task<HttpResponseMessage> Noting(Task<HttpResponseMessage> sending, Action<HttpResponseMessage> note)
    {
        var response = await sending;
        note(response);
        return response;
    }
}
