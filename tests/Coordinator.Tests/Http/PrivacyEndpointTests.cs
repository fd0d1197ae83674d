using System.Text.Json;
using Federated.Coordinator.Runs;
using Federated.Privacy.Accounting;
using Federated.Protocol.Wire;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

public sealed class PrivacyEndpointTests
{
    internal static async Task<RunPrivacyMessage> PrivacyOfAsync(TestServer server, string run, string token)
    {
        using var response = await server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/privacy", token);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonSerializer.Deserialize(body, WireJson.Default.RunPrivacyMessage)!;
    }

    /// <summary>Clients in turn take what work there is, until the run is over.</summary>
    internal static async Task<string> TakePartAsync(string run, params IReadOnlyList<TestClient> clients)
    {
        for (var i = 0; i < 200; i++)
        {
            var client = clients[i % clients.Count];
            var reply = await client.CheckInAsync(run, wait: 0);
            if (reply.Over is { } over)
            {
                return over.Reason;
            }

            if (reply.Assignment is { } lease)
            {
                await client.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id));
            }
        }

        throw new InvalidOperationException("The run does not end.");
    }

    [Fact]
    public async Task A_run_without_a_policy_says_that_nothing_is_guaranteed()
    {
        await using var server = await StartAsync();
        var run = await server.CreateRunAsync();
        var client = await TestClient.EnrolAsync(server);
        foreach (var token in (string[])[server.Local.OperatorToken, client.Token])
        {
            var privacy = await PrivacyOfAsync(server, run, token);
            Assert.Equal("none", privacy.Statement.Policy);
            Assert.StartsWith("Policy: none. Nothing is guaranteed", privacy.Statement.Text, StringComparison.Ordinal);
            Assert.Null(privacy.Statement.Planned);
        }

        using var card = await server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/card", server.Local.OperatorToken);
        Assert.Contains("Nothing is guaranteed", await card.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_branch_is_never_told_without_what_it_inherited()
    {
        await using var server = await StartAsync();
        var token = server.Local.OperatorToken;
        var source = await server.CreateRunAsync("private 10 2 3 3");
        await TakePartAsync(source, [await TestClient.EnrolAsync(server, "a"), await TestClient.EnrolAsync(server, "b"), await TestClient.EnrolAsync(server, "c")]);
        using var made = await server.SendAsync(
            HttpMethod.Post, $"/v1/runs/{source}:branch", token, JsonSerializer.Serialize(new BranchRunRequest("latest") { Run = "branch" }, WireJson.Default.BranchRunRequest));
        var run = JsonSerializer.Deserialize(await made.Content.ReadAsStringAsync(), WireJson.Default.RunDetailMessage)!;
        var cost = AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-6);
        Assert.Equal(cost, run.Summary.Epsilon!.Value, 1e-9); // Nothing has happened, and that much is gone.
        Assert.Equal(1e-6, run.Summary.Delta);
        Assert.Contains($"The run was branched from version 4 of '{source}', which had already cost a client up to ε = ", run.Privacy, StringComparison.Ordinal);

        var told = (await PrivacyOfAsync(server, "branch", token)).Statement;
        Assert.Equal((source, 4, "at-version"), (told.Inherited!.Run, told.Inherited.Version, told.Inherited.Basis));
        Assert.Equal(2 * cost, told.TotalPlanned!.Epsilon!.Value, 1e-9);
        Assert.Equal(2e-6, told.TotalPlanned.Delta, 1e-15);
        Assert.Equal(cost, told.TotalSpent!.Epsilon!.Value, 1e-9);
        Assert.Equal(told.Text, told.ToStatement().Text);

        using var card = await server.SendAsync(HttpMethod.Get, "/v1/runs/branch/card", token);
        var text = await card.Content.ReadAsStringAsync();
        Assert.Contains($"- **Inherited from version 4 of {source}:** ε = {Federated.Privacy.Statements.Figures.Up(cost)} at δ = 1e-6", text, StringComparison.Ordinal);
        Assert.Contains($"- **In all at most:** ε = {Federated.Privacy.Statements.Figures.Up(2 * cost)} at δ = 2e-6", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_run_ends_before_it_would_go_too_far_and_its_ledger_outlives_the_process()
    {
        string folder, run;
        RunPrivacyMessage before;
        await using (var server = await StartAsync())
        {
            folder = server.HandOver();
            run = await server.CreateRunAsync("private 10 2 3 3");
            var clients = new[] { await TestClient.EnrolAsync(server, "a"), await TestClient.EnrolAsync(server, "b"), await TestClient.EnrolAsync(server, "c") };
            Assert.Contains("nothing has been spent yet", (await PrivacyOfAsync(server, run, server.Local.OperatorToken)).Statement.Text, StringComparison.Ordinal);
            var reason = await TakePartAsync(run, clients);
            Assert.StartsWith("The privacy budget ends the run at version 4", reason, StringComparison.Ordinal);

            // Nine participations are allowed; a release takes two, so that the ninth would be in none.
            before = await PrivacyOfAsync(server, run, server.Local.OperatorToken);
            var most = AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-6);
            Assert.Equal(most, before.Statement.Planned!.Epsilon!.Value, 1e-9);
            Assert.Equal(most, before.Statement.Spent!.Epsilon!.Value, 1e-9);
            Assert.Equal(3, before.ClientsCharged);
            Assert.Equal([3, 3, 2], before.Clients.Select(c => c.Participations));
            Assert.Equal(AnalyticGaussian.Epsilon(2 / Math.Sqrt(2), 1e-6), before.Clients[2].Epsilon!.Value, 1e-9);
            Assert.Equal([1, 2, 3, 4], before.Course.Select(p => p.Version));
            Assert.Equal(before.Course.Select(p => p.Epsilon).Order(), before.Course.Select(p => p.Epsilon));
            Assert.Equal(most, before.Course[^1].Epsilon!.Value, 1e-9);

            var own = await PrivacyOfAsync(server, run, clients[0].Token);
            Assert.Equal(before.Statement.Text, own.Statement.Text);
            Assert.Empty(own.Clients);
            using var card = await server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/card", server.Local.OperatorToken);
            var text = await card.Content.ReadAsStringAsync();
            Assert.Contains(before.Statement.Text, text, StringComparison.Ordinal);
            Assert.DoesNotContain("examples that they told of", text, StringComparison.Ordinal);
        }

        await using var again = await StartAsync(folder);
        var after = await PrivacyOfAsync(again, run, again.Local.OperatorToken);
        Assert.Equal(JsonSerializer.Serialize(before, WireJson.Default.RunPrivacyMessage), JsonSerializer.Serialize(after, WireJson.Default.RunPrivacyMessage));
        Assert.Equal(FinishReason.Budget, (await again.Server.Runs.FindAsync(run, default))!.View.Ended!.Value.Reason);
    }

    [Fact]
    public void A_statement_comes_back_from_the_wire_as_it_was()
    {
        var statement = new TestRuns().Describe("private 10 2 3 3"u8.ToArray()).Privacy;
        var sent = JsonSerializer.Serialize(StatementMessage.Of(statement), WireJson.Default.StatementMessage);
        var back = JsonSerializer.Deserialize(sent, WireJson.Default.StatementMessage)!.ToStatement();
        Assert.Equal(statement.Text, back.Text);
        Assert.Equal(statement with { Terms = statement.Terms with { Limits = back.Terms.Limits } }, back);
    }
}
