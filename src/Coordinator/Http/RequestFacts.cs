using System.Globalization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Protocol;
using Microsoft.AspNetCore.Http;

namespace Federated.Coordinator.Http;

/// <summary>What endpoints ask of a request that has passed the gate.</summary>
internal static class RequestFacts
{
    /// <summary>When to come back to a run that only its operator gets going again.</summary>
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(1);

    public static Principal Who(this HttpContext context) =>
        context.Features.Get<Principal>() ?? throw new InvalidOperationException("This endpoint needs a known caller, and its metadata does not say so.");

    public static string Value(this HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    /// <summary>The run of the address, or an answer that there is none.</summary>
    public static async ValueTask<IRun?> RunAsync(this HttpContext context, CoordinatorService service)
    {
        var id = context.Value("run");
        if (Identifier.IsValid(id) && await service.Registry!.FindAsync(id, context.RequestAborted).ConfigureAwait(false) is { } host)
        {
            return host;
        }

        await context.RefuseAsync(Problems.RunUnknown, $"There is no run '{(Identifier.IsValid(id) ? id : "?")}'. GET /v1/runs (fed runs list) tells those that there are; fed runs create makes one.").ConfigureAwait(false);
        return null;
    }

    /// <summary>Whether the run can be asked; if not, that is what the request is answered.</summary>
    public static async ValueTask<bool> IsOpenAsync(this HttpContext context, IRun host)
    {
        if (host.View is not { Host: not HostState.Open } closed)
        {
            return true;
        }

        await (closed.Host.IsUnreadable() && context.Who().Role != Role.Client
            ? context.RefuseAsync(Problems.RunFailed, $"Run '{host.Entry.Id}' is {closed.Host.ToString().ToLowerInvariant()}: {closed.Problem}", Later)
            : context.RefuseAsync(closed.Host.Outcome(), TimeSpan.FromSeconds(1))).ConfigureAwait(false);
        return false;
    }

    /// <summary>The run and the number that the caller has in it, or an answer that it has none.</summary>
    public static async ValueTask<(IRun Host, ClientId Client, AssignmentId Assignment)?> AssignmentAsync(this HttpContext context, CoordinatorService service)
    {
        // Of a run that is not open nobody knows who is in it: a client that is told it is not would throw its work away.
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host || !await context.IsOpenAsync(host).ConfigureAwait(false))
        {
            return null;
        }

        if (!long.TryParse(context.Value("assignment"), NumberStyles.None, CultureInfo.InvariantCulture, out var assignment))
        {
            await context.RefuseAsync(Problems.Malformed, "Ids of assignments are whole numbers.").ConfigureAwait(false);
            return null;
        }

        if (await host.FindAsync(context.Who().Id, context.RequestAborted).ConfigureAwait(false) is not { } client)
        {
            await context.RefuseAsync(Problems.AssignmentNotYours, "This client has not joined the run; check in first.").ConfigureAwait(false);
            return null;
        }

        return (host, client, new AssignmentId(assignment));
    }

    /// <summary>Seconds to wait for something to happen, from the query.</summary>
    public static TimeSpan WaitOf(this HttpContext context) =>
        double.TryParse(context.Request.Query["waitSeconds"], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) ? Bounded(seconds) : TimeSpan.Zero;

    public static TimeSpan Bounded(double seconds) => double.IsFinite(seconds) ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 300)) : TimeSpan.Zero;

    /// <summary>Says that the host could not ask the run.</summary>
    public static Task RefuseAsync(this HttpContext context, HostOutcome outcome, TimeSpan retryAfter) => outcome switch
    {
        HostOutcome.Busy => context.RefuseAsync(Problems.Busy, "More requests wait for this run than may; come back later.", retryAfter),
        HostOutcome.Failed => context.RefuseAsync(
            Problems.RunFailed, "What is stored of this run cannot be read, or this build cannot run it; its operator sees why (fed runs show). Nothing was counted. Keep what you have and come back.", Later),
        HostOutcome.Closed => context.RefuseAsync(Problems.Closing, "The run's host is closing; ask again.", retryAfter),
        _ => context.RefuseAsync(Problems.Unavailable, "The run is being opened, or its store fails; ask again. Repeating the request is safe.", retryAfter),
    };
}
