using System.Globalization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Runs;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>What operators and viewers do with runs: create, list, show, control, branch, delete; the model card.</summary>
internal sealed class RunEndpoints(CoordinatorService service)
{
    private const int MaxConfiguration = 4 << 20;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/runs", CreateAsync).WithMetadata(Access.Operator with { Act = "create run" },
            new Says("Create a run and start it.", WireJson.Default.CreateRunRequest, Reply: WireJson.Default.RunDetailMessage, Status: 201));
        routes.MapGet("/v1/runs", ListAsync).WithMetadata(Access.Known, new Says("The runs.", Reply: WireJson.Default.RunList));
        routes.MapGet("/v1/runs/{run}", ShowAsync).WithMetadata(Access.Viewer, new Says("A run in full.", Reply: WireJson.Default.RunDetailMessage));
        routes.MapGet("/v1/runs/{run}/configuration", ConfigurationAsync).WithMetadata(Access.Viewer, new Says("The configuration with every default (YAML)."));
        routes.MapGet("/v1/runs/{run}/card", CardAsync).WithMetadata(Access.Viewer, new Says("The model card (Markdown)."));
        routes.MapGet("/v1/runs/{run}/privacy", PrivacyAsync).WithMetadata(Access.Known,
            new Says("The run's privacy statement, and how its ledger stands.", Reply: WireJson.Default.RunPrivacyMessage));
        routes.MapPost("/v1/runs/{run}:pause", c => CommandAsync(c, OperatorAction.Pause)).WithMetadata(Access.Operator with { Act = "pause run" },
            new Says("Give out no more work.", WireJson.Default.CommandRequest, Reply: WireJson.Default.RunSummaryMessage));
        routes.MapPost("/v1/runs/{run}:resume", c => CommandAsync(c, OperatorAction.Resume)).WithMetadata(Access.Operator with { Act = "resume run" },
            new Says("Go on after a pause.", WireJson.Default.CommandRequest, Reply: WireJson.Default.RunSummaryMessage));
        routes.MapPost("/v1/runs/{run}:stop", c => CommandAsync(c, OperatorAction.Stop)).WithMetadata(Access.Operator with { Act = "stop run" },
            new Says("End the run.", WireJson.Default.CommandRequest, Reply: WireJson.Default.RunSummaryMessage));
        routes.MapPost("/v1/runs/{run}:branch", BranchAsync).WithMetadata(Access.Operator with { Act = "branch run" },
            new Says("A new run from a version of this one.", WireJson.Default.BranchRunRequest, Reply: WireJson.Default.RunDetailMessage, Status: 201));
        routes.MapDelete("/v1/runs/{run}", DeleteAsync).WithMetadata(Access.Operator with { Act = "delete run" },
            new Says("Delete a run with all its versions.", Status: 204));
    }

    private async Task CreateAsync(HttpContext context)
    {
        RaiseLimit(context);
        if (await JsonBody.ReadAsync(context, WireJson.Default.CreateRunRequest, MaxConfiguration).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        try
        {
            var configuration = service.Configurations.Read(request.Configuration, request.Set);
            await RequirePossibleAsync(configuration, context.RequestAborted).ConfigureAwait(false);
            if (await IdAsync(context, request.Run, service.Configurations.Describe(configuration).Name).ConfigureAwait(false) is { } id)
            {
                var host = await service.Registry!.CreateAsync(id, configuration, context.RequestAborted).ConfigureAwait(false);
                await AnswerCreatedAsync(context, host).ConfigureAwait(false);
            }
        }
        catch (CoordinatorException refused)
        {
            await context.RefuseAsync(Problems.Configuration, refused.Message).ConfigureAwait(false);
        }
    }

    private async Task BranchAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } source || !await context.IsOpenAsync(source).ConfigureAwait(false)
            || await JsonBody.ReadAsync(context, WireJson.Default.BranchRunRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        if (request.Version == "latest")
        {
            await source.SaveAsync().ConfigureAwait(false); // The state that led to a version is kept for the one that was saved last.
        }

        var view = await source.LookAsync(context.RequestAborted).ConfigureAwait(false);
        if (BlobEndpoints.VersionOf(request.Version == "latest" && view.Saved is { } saved ? view with { Version = saved.Version } : view, request.Version) is not { } version)
        {
            await context.RefuseAsync(Problems.VersionUnknown, $"That version is not held; there are {string.Join(", ", view.Versions.Keys)}, latest and best.").ConfigureAwait(false);
            return;
        }

        try
        {
            var configuration = service.Configurations.Read(System.Text.Encoding.UTF8.GetString(source.Entry.Configuration.Span), request.Set);
            await RequirePossibleAsync(configuration, context.RequestAborted).ConfigureAwait(false);
            if (await IdAsync(context, request.Run, $"{source.Entry.Id}-v{version.Version.ToString(CultureInfo.InvariantCulture)}").ConfigureAwait(false) is { } id)
            {
                var host = await service.Registry!.BranchAsync(id, source.Entry.Id, version.Version, configuration, context.RequestAborted).ConfigureAwait(false);
                await AnswerCreatedAsync(context, host).ConfigureAwait(false);
            }
        }
        catch (CoordinatorException refused)
        {
            await context.RefuseAsync(Problems.Configuration, refused.Message).ConfigureAwait(false);
        }
    }

    /// <exception cref="CoordinatorException">No client could ever take part in the run: a budget does not cover it, or a shuffler is not there.</exception>
    private async ValueTask RequirePossibleAsync(byte[] configuration, CancellationToken cancellation)
    {
        var description = service.Configurations.Describe(configuration);
        var lifetime = await service.Lifetime.LedgerAsync(cancellation).ConfigureAwait(false);
        if ((lifetime?.RefusalOf(description.Privacy) ?? await ShufflingEndpoints.RefusalOfAsync(description.Shufflers, service.Shuffling, cancellation).ConfigureAwait(false)) is { } refusal)
        {
            throw new CoordinatorException(refusal);
        }
    }

    private async Task AnswerCreatedAsync(HttpContext context, IRun host)
    {
        context.Response.Headers.Location = $"/v1/runs/{host.Entry.Id}";
        var run = await RunReports.DetailAsync(host, service).ConfigureAwait(false);
        await JsonBody.WriteAsync(context, run, WireJson.Default.RunDetailMessage, StatusCodes.Status201Created).ConfigureAwait(false);
    }

    /// <summary>The id that was asked for, or one made of the name that nobody has; null when the request has been answered.</summary>
    private async ValueTask<string?> IdAsync(HttpContext context, string? asked, string name)
    {
        if (asked is not null)
        {
            if (!Identifier.IsValid(asked))
            {
                await context.RefuseAsync(Problems.Malformed, "What was asked for is no id of a run: 1 to 63 lower-case letters, digits and hyphens are, not beginning with a hyphen.").ConfigureAwait(false);
                return null;
            }

            if (await service.Registry!.FindAsync(asked, context.RequestAborted).ConfigureAwait(false) is not null)
            {
                await context.RefuseAsync(Problems.RunExists, $"Choose another id than '{asked}', or delete that run first.").ConfigureAwait(false);
                return null;
            }

            return asked;
        }

        var stem = Identifier.From(name);
        stem = stem.Length == 0 ? "run" : stem.Length > 56 ? stem[..56].TrimEnd('-') : stem;
        var id = stem;
        for (var n = 2; await service.Registry!.FindAsync(id, context.RequestAborted).ConfigureAwait(false) is not null; n++)
        {
            id = $"{stem}-{n.ToString(CultureInfo.InvariantCulture)}";
        }

        return id;
    }

    private Task ListAsync(HttpContext context)
    {
        var runs = service.Registry!.Runs.OrderBy(r => r.Entry.CreatedAt).ThenBy(r => r.Entry.Id, StringComparer.Ordinal);
        return JsonBody.WriteAsync(context, new RunList([.. runs.Select(r => RunReports.Summary(r, service))]), WireJson.Default.RunList);
    }

    private async Task ShowAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is { } host)
        {
            var run = await RunReports.DetailAsync(host, service).ConfigureAwait(false);
            await JsonBody.WriteAsync(context, run, WireJson.Default.RunDetailMessage).ConfigureAwait(false);
        }
    }

    private async Task ConfigurationAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is { } host)
        {
            context.Response.ContentType = "application/yaml; charset=utf-8";
            context.Response.ContentLength = host.Entry.Configuration.Length;
            await context.Response.Body.WriteAsync(host.Entry.Configuration, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private async Task CardAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is { } host && (!host.View.Versions.IsEmpty || await context.IsOpenAsync(host).ConfigureAwait(false)))
        {
            context.Response.ContentType = "text/markdown; charset=utf-8";
            var run = await RunReports.DetailAsync(host, service).ConfigureAwait(false);
            var card = ModelCard.Write(run, host, service.DescriptionOf(host.Entry));
            await context.Response.WriteAsync(card, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private async Task PrivacyAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is { } host)
        {
            var privacy = await RunReports.PrivacyAsync(host, service, context.Who() is { Role: Role.Client } client ? client.Id : null, context.RequestAborted).ConfigureAwait(false);
            await JsonBody.WriteAsync(context, privacy, WireJson.Default.RunPrivacyMessage).ConfigureAwait(false);
        }
    }

    private async Task CommandAsync(HttpContext context, OperatorAction action)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host || !await context.IsOpenAsync(host).ConfigureAwait(false)
            || await JsonBody.ReadAsync(context, WireJson.Default.CommandRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        var view = await host.LookAsync(context.RequestAborted).ConfigureAwait(false);
        var isPossible = (action, view.Status) switch
        {
            (_, RunStatus.Finished) => false,
            (OperatorAction.Pause, RunStatus.Paused) or (OperatorAction.Resume, RunStatus.Running) => true, // Already so: repeating is harmless.
            _ => true,
        };
        if (!isPossible)
        {
            await context.RefuseAsync(Problems.RunState, $"The run is {Spelling.Of(view.Status)}; branch it to go on from one of its versions.").ConfigureAwait(false);
            return;
        }

        var reason = request.Reason.Length is 0 or > 200 ? $"by {context.Who().Name}" : request.Reason;
        var posted = await host.CommandAsync(action, reason).ConfigureAwait(false);
        if (posted.Outcome != HostOutcome.Done)
        {
            await context.RefuseAsync(posted.Outcome, posted.RetryAfter).ConfigureAwait(false);
            return;
        }

        await host.LookAsync(context.RequestAborted).ConfigureAwait(false); // What it did to the run is what the answer shows.
        await JsonBody.WriteAsync(context, RunReports.Summary(host, service), WireJson.Default.RunSummaryMessage).ConfigureAwait(false);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host)
        {
            return;
        }

        await service.Registry!.DeleteAsync(host.Entry.Id, context.RequestAborted).ConfigureAwait(false);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static void RaiseLimit(HttpContext context)
    {
        if (context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxConfiguration;
        }
    }
}
