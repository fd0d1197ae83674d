using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Dashboard.Http;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Federated.Coordinator.Tests.Dashboard;

/// <summary>What a host that serves the dashboard says about who may do what, seen from outside.</summary>
public sealed class DashboardOptionsTests
{
    private const string RoleHeader = "X-Role";

    /// <summary>A host whose callers say themselves who they are, with one run.</summary>
    private static async Task<(WebApplication Application, HttpClient Http)> StartAsync(DashboardOptions options, FeedSource source = FeedSource.Live, IRunControl? control = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddRouting();
        builder.Services.AddAuthentication("told").AddScheme<AuthenticationSchemeOptions, Told>("told", null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("view", policy => policy.RequireRole("viewer", "operator"));
        builder.Services.AddDashboard(new DashboardAssets(typeof(DashboardOptionsTests).Assembly), options);
        var application = builder.Build();
        application.UseRouting();
        application.UseAuthentication();
        application.UseAuthorization();
        application.MapDashboard();
        if (options.HostTellsPrivacy)
        {
            application.MapGet("/v1/runs/{run}/privacy", () => "the host's");
        }

        application.Services.GetRequiredService<ViewFeeds>().Add(
            new ViewFeed(new RunHeader { Id = "r", Name = "r", Strategy = "s", Source = source })
            {
                Privacy = new RunPrivacyMessage("r", 0, StatementMessage.Of(PrivacyStatement.None(StatementSetting.Served))),
            },
            control);
        await application.StartAsync();
        return (application, new HttpClient { BaseAddress = new Uri(application.Urls.Single()) });
    }

    private static DashboardOptions Plain { get; } = new() { IsOperator = http => http.Request.Headers[RoleHeader] == "operator" };

    private static async Task<HttpResponseMessage> AskAsync(HttpClient http, string path, string? role = null, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (role is not null)
        {
            request.Headers.Add(RoleHeader, role);
        }

        return await http.SendAsync(request);
    }

    private static async Task<JsonElement> ReadAsync(HttpClient http, string path, string role)
    {
        using var answer = await AskAsync(http, path, role);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    public sealed class ViewPolicy
    {
        [Theory]
        [InlineData("view")]
        [InlineData(null)]
        public async Task Keeps_out_whom_it_does_not_let_in_but_not_from_the_pages_in_which_one_shows_who_one_is(string? policy)
        {
            var (application, http) = await StartAsync(Plain with { ViewPolicy = policy, Schema = "{}" });
            await using var owned = application;
            using var ownedHttp = http;
            foreach (var (role, refused) in ((string?, HttpStatusCode)[])[(null, HttpStatusCode.Unauthorized), ("stranger", HttpStatusCode.Forbidden), ("viewer", HttpStatusCode.OK)])
            {
                var expected = policy is null ? HttpStatusCode.OK : refused;
                foreach (var path in (string[])
                    ["/v1/dashboard", "/v1/dashboard/system", "/v1/dashboard/schema", "/v1/runs/r/feed", "/v1/runs/r/privacy", .. ViewFeed.Streams.Select(stream => $"/v1/runs/r/{stream}")])
                {
                    using var read = await AskAsync(http, path, role);
                    Assert.True(read.StatusCode == expected, $"{path} for {role ?? "nobody"}: {read.StatusCode} instead of {expected}");
                }

                using var live = await AskAsync(http, "/hubs/runs/negotiate?negotiateVersion=1", role, HttpMethod.Post);
                Assert.Equal(expected, live.StatusCode);
                using var page = await AskAsync(http, "/", role);
                Assert.DoesNotContain(page.StatusCode, (HttpStatusCode[])[HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden]);
            }
        }
    }

    public sealed class Operators
    {
        [Theory]
        [InlineData(true)]
        [InlineData(false)]
        public async Task Create_runs_where_the_host_can(bool canCreate)
        {
            var (application, http) = await StartAsync(Plain with { CanCreate = canCreate });
            await using var owned = application;
            using var ownedHttp = http;
            foreach (var role in (string[])["operator", "viewer"])
            {
                var overview = await ReadAsync(http, "/v1/dashboard", role);
                Assert.Equal((role, canCreate && role == "operator"), (overview.GetProperty("role").GetString(), overview.GetProperty("canCreate").GetBoolean()));
            }
        }

        [Theory]
        [InlineData(FeedSource.Live, false, true)]
        [InlineData(FeedSource.Simulation, true, true)]
        [InlineData(FeedSource.Simulation, false, false)]
        public async Task Control_what_can_be_controlled(FeedSource source, bool hasControl, bool may)
        {
            var (application, http) = await StartAsync(Plain, source, hasControl ? new Control() : null);
            await using var owned = application;
            using var ownedHttp = http;
            foreach (var role in (string[])["operator", "viewer"])
            {
                Assert.Equal(may && role == "operator", (await ReadAsync(http, "/v1/runs/r/feed", role)).GetProperty("canControl").GetBoolean());
            }
        }
    }

    public sealed class Privacy
    {
        [Fact]
        public async Task Is_told_by_the_host_where_it_tells_it()
        {
            var (application, http) = await StartAsync(Plain with { HostTellsPrivacy = true });
            await using var owned = application;
            using var ownedHttp = http;
            Assert.Equal("the host's", await http.GetStringAsync("/v1/runs/r/privacy"));
        }

        [Fact]
        public async Task Is_told_from_the_feed_where_the_host_does_not()
        {
            var (application, http) = await StartAsync(Plain);
            await using var owned = application;
            using var ownedHttp = http;
            Assert.Equal("none", (await ReadAsync(http, "/v1/runs/r/privacy", "viewer")).GetProperty("statement").GetProperty("policy").GetString());
        }
    }

    private sealed class Control : IRunControl
    {
        public void Pause()
        {
        }

        public void Resume()
        {
        }

        public void Stop()
        {
        }
    }

    /// <summary>Whoever says what role it has, has it.</summary>
    private sealed class Told(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers[RoleHeader] is [{ Length: > 0 } role]
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Role, role)], Scheme.Name)), Scheme.Name))
            : AuthenticateResult.NoResult());
    }
}
