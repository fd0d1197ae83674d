using System.Globalization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Protocol;
using Microsoft.AspNetCore.Http;

namespace Federated.Coordinator.Http;

/// <summary>What endpoints ask of a request that has passed the gate.</summary>
internal static class RequestFacts
{
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

        await context.RefuseAsync(Problems.RunUnknown, $"There is no run '{(Identifier.IsValid(id) ? id : "?")}'. GET /v1/runs lists those that there are.").ConfigureAwait(false);
        return null;
    }

    /// <summary>The run and the number that the caller has in it, or an answer that it has none.</summary>
    public static async ValueTask<(IRun Host, ClientId Client, AssignmentId Assignment)?> AssignmentAsync(this HttpContext context, CoordinatorService service)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host)
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
        HostOutcome.Closed => context.RefuseAsync(Problems.Closing, "The run's host is closing; ask again.", retryAfter),
        _ => context.RefuseAsync(Problems.Unavailable, "The run is being opened, or its store fails; ask again. Repeating the request is safe.", retryAfter),
    };
}
