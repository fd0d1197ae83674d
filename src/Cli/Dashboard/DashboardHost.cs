using System.Net;
using System.Net.Sockets;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Dashboard.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.Cli.Dashboard;

/// <summary>The dashboard of one command: a web server on this machine only, open to whoever has the link.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    private const string ViewPolicy = "view";
    private const string OperatePolicy = "operate";

    private readonly WebApplication application;
    private readonly LinkTokens tokens;

    private DashboardHost(WebApplication application, LinkTokens tokens, bool isBuilt) => (this.application, this.tokens, IsBuilt) = (application, tokens, isBuilt);

    /// <summary>False: there are no pages in this build, only what they would read.</summary>
    public bool IsBuilt { get; }

    public ViewFeeds Feeds => application.Services.GetRequiredService<ViewFeeds>();

    /// <summary>For whoever may pause and stop.</summary>
    public string OperatorLink(string page = "") => $"{application.Urls.First()}/#{page}?token={tokens.Operator}";

    /// <summary>For those who only look.</summary>
    public string ViewerLink(string page = "") => $"{application.Urls.First()}/#{page}?token={tokens.Viewer}";

    /// <param name="port">0 for a free one.</param>
    /// <exception cref="CommandException">The port is taken.</exception>
    public static async Task<DashboardHost> StartAsync(int port, TimeProvider clock)
    {
        var tokens = LinkTokens.Create();
        var assets = new DashboardAssets(typeof(DashboardHost).Assembly);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(tokens);
        builder.Services.AddRouting();
        builder.Services.AddAuthentication(LinkTokenHandler.Scheme).AddScheme<AuthenticationSchemeOptions, LinkTokenHandler>(LinkTokenHandler.Scheme, null);
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(ViewPolicy, policy => policy.RequireRole(LinkTokens.ViewerRole, LinkTokens.OperatorRole))
            .AddPolicy(OperatePolicy, policy => policy.RequireRole(LinkTokens.OperatorRole));
        builder.Services.AddDashboard(assets, new DashboardOptions { ViewPolicy = ViewPolicy, IsOperator = http => http.User.IsInRole(LinkTokens.OperatorRole), Version = Version() });
        var application = builder.Build();
        application.Use(OnlyThisMachine);
        application.UseRouting();
        application.UseAuthentication();
        application.UseAuthorization();
        application.MapDashboard();
        MapControl(application);
        try
        {
            await application.StartAsync();
        }
        catch (IOException problem) when (problem.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException or SocketException)
        {
            await application.DisposeAsync();
            throw new CommandException(ExitCodes.Environment, $"The dashboard cannot listen on port {port}: it is in use. Name another, or leave the number out for a free one.");
        }

        return new DashboardHost(application, tokens, assets.IsBuilt);
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await application.StopAsync(patience.Token);
        await application.DisposeAsync();
    }

    private static void MapControl(IEndpointRouteBuilder routes)
    {
        Map("pause", control => control.Pause());
        Map("resume", control => control.Resume());
        Map("stop", control => control.Stop());

        void Map(string verb, Action<IRunControl> act) => routes.MapPost($"/v1/runs/{{run}}:{verb}", (ViewFeeds feeds, string run) =>
        {
            if (!feeds.TryGetControl(run, out var control))
            {
                return Results.NotFound();
            }

            if (control is null)
            {
                return Results.Problem("This run is over or was read from a folder; nothing can be done to it here.", statusCode: StatusCodes.Status409Conflict);
            }

            act(control);
            return Results.NoContent();
        }).RequireAuthorization(OperatePolicy);
    }

    // A page of another site that makes its own name point here (DNS rebinding) sends that name.
    private static Task OnlyThisMachine(HttpContext http, RequestDelegate next)
    {
        if (http.Request.Host.Host is "127.0.0.1" or "localhost" or "[::1]")
        {
            return next(http);
        }

        http.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        return Task.CompletedTask;
    }

    private static string Version() => typeof(DashboardHost).Assembly.GetName().Version?.ToString(3) ?? "";
}
