using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Dashboard.Live;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.Coordinator.Dashboard.Http;

/// <summary>
/// The dashboard's part of a coordinator's one origin: the pages, <c>/hubs/runs</c>, and what they read.
/// <c>GET /v1/dashboard</c> says who asks and which runs there are; <c>GET /v1/runs/{run}/feed</c> is one run's header;
/// <c>GET /v1/runs/{run}/{metrics|versions|updates|groups|events|clients|tallies}?after=seq</c> is history. A host that has runs of its own
/// maps the rest of <c>/v1/runs</c>.
/// </summary>
public static class DashboardEndpoints
{
    /// <summary>Points of one stream in one answer.</summary>
    public const int MostPoints = 50_000;

    /// <summary>Nothing from elsewhere, no inline script; what does not come from here does not run.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        + "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>What the hub and the endpoints need; the host adds a <see cref="TimeProvider"/>, authentication and authorization.</summary>
    public static IServiceCollection AddDashboard(this IServiceCollection services, DashboardAssets assets, DashboardOptions options)
    {
        services.AddSingleton(assets);
        services.AddSingleton(options);
        services.AddSingleton<ViewFeeds>();
        services.AddSingleton<SystemSampler>();
        services.AddHostedService(provider => provider.GetRequiredService<SystemSampler>());
        services.AddSignalR(hub =>
        {
            hub.MaximumReceiveMessageSize = 16 * 1024;
            hub.KeepAliveInterval = TimeSpan.FromSeconds(4); // A page says within seconds that its link is down, not after half a minute.
        });
        return services;
    }

    public static IEndpointRouteBuilder MapDashboard(this IEndpointRouteBuilder routes)
    {
        var options = routes.ServiceProvider.GetRequiredService<DashboardOptions>();
        routes.MapGet("/", (HttpContext http, DashboardAssets assets) => Page(http, assets, "index.html"));
        routes.MapGet("/assets/{name}", (HttpContext http, DashboardAssets assets, string name) => Page(http, assets, $"assets/{name}"));
        routes.MapGet("/favicon.svg", (HttpContext http, DashboardAssets assets) => Page(http, assets, "favicon.svg"));
        Protect(routes.MapGet("/v1/dashboard", Overview), options);
        Protect(routes.MapGet("/v1/dashboard/system", (HttpContext http, SystemSampler sampler, long after = 0) => Json(http, json => sampler.Write(json, after))), options);
        Protect(routes.MapGet("/v1/dashboard/schema", Schema), options);
        Protect(routes.MapGet("/v1/runs/{run}/feed", Header), options);
        if (!options.HostTellsPrivacy)
        {
            Protect(routes.MapGet("/v1/runs/{run}/privacy", Privacy), options);
        }

        foreach (var stream in ViewFeed.Streams)
        {
            Protect(
                routes.MapGet($"/v1/runs/{{run}}/{stream}", (HttpContext http, ViewFeeds feeds, string run, long after = 0, int limit = MostPoints, int? last = null) =>
                    History(http, feeds, run, stream, after, limit, last)),
                options);
        }

        Protect(routes.MapHub<RunHub>("/hubs/runs"), options);
        return routes;
    }

    private static void Protect(IEndpointConventionBuilder endpoint, DashboardOptions options)
    {
        if (options.ViewPolicy is { } policy)
        {
            endpoint.RequireAuthorization(policy);
        }
    }

    private static Task Overview(HttpContext http, ViewFeeds feeds, DashboardOptions options) => Json(http, json =>
    {
        var isOperator = options.IsOperator(http);
        json.WriteStartObject();
        json.WriteString("version", options.Version);
        json.WriteString("instance", feeds.Instance);
        json.WriteString("role", isOperator ? "operator" : "viewer");
        json.WriteBoolean("canCreate", isOperator && options.CanCreate);
        json.WritePropertyName("runs");
        feeds.WriteCards(json);
        json.WriteEndObject();
    });

    private static Task Schema(HttpContext http, DashboardOptions options)
    {
        if (options.Schema.Length == 0)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return http.Response.WriteAsync("Runs cannot be created here.");
        }

        http.Response.ContentType = "application/schema+json";
        return http.Response.WriteAsync(options.Schema);
    }

    private static Task Header(HttpContext http, ViewFeeds feeds, DashboardOptions options, string run)
    {
        if (!feeds.TryGet(run, out var feed))
        {
            return NoRun(http, run);
        }

        feeds.TryGetControl(run, out var control);
        var canControl = options.IsOperator(http) && (control is not null || feed.Header.Source == FeedSource.Live);
        return Json(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("instance", feeds.Instance);
            json.WriteBoolean("canControl", canControl);
            json.WritePropertyName("header");
            WriteHeader(json, feed.Header);
            json.WritePropertyName("standing");
            feed.Standing.Write(json);
            json.WriteEndObject();
        });
    }

    private static Task Privacy(HttpContext http, ViewFeeds feeds, string run) => feeds.TryGet(run, out var feed) && feed.Privacy is { } privacy
        ? Json(http, json => JsonSerializer.Serialize(json, privacy, WireJson.Default.RunPrivacyMessage))
        : NoRun(http, run);

    /// <param name="after">Points behind this sequence number (for <c>clients</c>: changed behind this stamp).</param>
    /// <param name="last">Instead of the oldest points, the newest so many.</param>
    private static Task History(HttpContext http, ViewFeeds feeds, string run, string stream, long after, int limit, int? last) =>
        feeds.TryGet(run, out var feed)
            ? Json(http, json => feed.TryWrite(stream, after, Math.Clamp(last ?? limit, 0, MostPoints), last is not null, json))
            : NoRun(http, run);

    private static void WriteHeader(Utf8JsonWriter json, RunHeader header)
    {
        json.WriteStartObject();
        json.WriteString("id", header.Id);
        json.WriteString("name", header.Name);
        json.WriteString("strategy", header.Strategy);
        json.WriteString("scheduler", header.Scheduler);
        json.WriteString("source", header.Source.ToString().ToLowerInvariant());
        json.WriteNumber("clients", header.Clients);
        json.WriteString("seed", header.Seed.ToString(CultureInfo.InvariantCulture)); // A JSON number of 64 bits loses digits in a browser.
        json.WriteNumber("aggregationGoal", header.AggregationGoal);
        json.WriteNumber("concurrency", header.Concurrency);
        json.WriteNumber("maxStaleness", header.MaxStaleness);
        json.WriteNumber("stopVersions", header.StopVersions);
        json.WriteNumber("stopUpdates", header.StopUpdates);
        json.WriteMeasure("stopSeconds", header.StopSeconds);
        json.WriteMeasure("targetAccuracy", header.TargetAccuracy);
        json.WriteMeasure("clip", header.Clip);
        json.WriteMeasure("epsilonBudget", header.EpsilonBudget);
        json.WriteString("configuration", header.Configuration);
        json.WriteStartArray("clientNames");
        foreach (var name in header.ClientNames)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task NoRun(HttpContext http, string run)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        await http.Response.WriteAsJsonAsync(
            new { type = "/problems/no-such-run", title = "There is no such run.", status = 404, detail = $"There is no run '{run}' here. GET /v1/dashboard lists the runs." },
            options: null,
            "application/problem+json",
            http.RequestAborted);
    }

    /// <summary>A document, compressed where the caller takes that; histories shrink to an eighth.</summary>
    private static async Task Json(HttpContext http, Action<Utf8JsonWriter> write)
    {
        using var plain = new MemoryStream();
        using (var json = new Utf8JsonWriter(plain))
        {
            write(json);
        }

        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Vary = "Accept-Encoding";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        if (plain.Length < 1024 || !Accepts(http, "gzip"))
        {
            await http.Response.Body.WriteAsync(plain.GetBuffer().AsMemory(0, (int)plain.Length), http.RequestAborted);
            return;
        }

        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(plain.GetBuffer(), 0, (int)plain.Length);
        }

        http.Response.Headers.ContentEncoding = "gzip";
        http.Response.ContentLength = packed.Length;
        await http.Response.Body.WriteAsync(packed.GetBuffer().AsMemory(0, (int)packed.Length), http.RequestAborted);
    }

    private static async Task Page(HttpContext http, DashboardAssets assets, string path)
    {
        if (!assets.TryGet(path, out var asset))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            await http.Response.WriteAsync(assets.IsBuilt
                ? "There is no such page."
                : "This build has no dashboard: Node.js 20.19 or later was not there when it was built. Install it, build again, and reload this page.");
            return;
        }

        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.ETag = asset.Tag;
        headers.Vary = "Accept-Encoding";
        headers.CacheControl = path.StartsWith("assets/", StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache";
        if (http.Request.Headers.IfNoneMatch == asset.Tag)
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var (body, encoding) = Accepts(http, "br") ? (asset.Brotli, "br") : Accepts(http, "gzip") ? (asset.Gzip, "gzip") : (asset.Bytes, "");
        if (encoding.Length > 0)
        {
            headers.ContentEncoding = encoding;
        }

        http.Response.ContentType = asset.ContentType;
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static bool Accepts(HttpContext http, string encoding) => http.Request.Headers.AcceptEncoding.ToString().Contains(encoding, StringComparison.OrdinalIgnoreCase);
}
