using Federated.Coordinator.Hosting;
using Federated.Coordinator.Telemetry;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>What a client says, all but the bytes of its updates: check-ins, questions about an assignment, failures, evaluations.</summary>
internal sealed class ClientEndpoints(CoordinatorService service)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/runs/{run}/check-ins", CheckInAsync).WithMetadata(Access.Client,
            new Says("Check in: wait for work (long poll).", WireJson.Default.CheckInRequest, Reply: WireJson.Default.CheckInReply));
        routes.MapGet("/v1/runs/{run}/assignments/{assignment}", WatchAsync).WithMetadata(Access.Client,
            new Says("Is the assignment still wanted? (long poll by waitSeconds)", Reply: WireJson.Default.AssignmentStateMessage));
        routes.MapPost("/v1/runs/{run}/assignments/{assignment}:fail", FailAsync).WithMetadata(Access.Client,
            new Says("Give an assignment up.", WireJson.Default.FailRequest, Status: 204));
        routes.MapPost("/v1/runs/{run}/evaluations/{version:int}", EvaluateAsync).WithMetadata(Access.Client,
            new Says("Report an evaluation on the client's own data.", WireJson.Default.EvaluationReport, Status: 204));
    }

    private async Task CheckInAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host
            || await JsonBody.ReadAsync(context, WireJson.Default.CheckInRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        if (!double.IsFinite(request.Examples) || request.Examples < 0)
        {
            await context.RefuseAsync(Problems.Malformed, "examples must be 0 or more.").ConfigureAwait(false);
            return;
        }

        if (!await context.IsOpenAsync(host).ConfigureAwait(false))
        {
            return;
        }

        var (who, wait) = (context.Who(), RequestFacts.Bounded(request.WaitSeconds));
        var begun = service.Clock.GetTimestamp();
        if (await host.FindAsync(who.Id, context.RequestAborted).ConfigureAwait(false) is not { } client)
        {
            // Before it can cost anything: whatever becomes of this request, or of the run, stays reserved.
            if (await service.Lifetime.LedgerAsync(context.RequestAborted).ConfigureAwait(false) is { } lifetime
                && await lifetime.ReserveAsync(who.Id, host.Entry, RunReports.StatementOf(host, service), context.RequestAborted).ConfigureAwait(false) is { } refusal)
            {
                await context.RefuseAsync(Problems.PrivacyBudget, refusal).ConfigureAwait(false);
                return;
            }

            if (host.Parts.ExpectedClients > 0
                && await host.EnterAsync(who.Id, who.Name, request.Examples, wait, context.RequestAborted).ConfigureAwait(false) is > 0 and var missing)
            {
                var expected = host.Parts.ExpectedClients;
                await JsonBody.WriteAsync(
                    context, new CheckInReply { Wait = new WaitMessage($"waiting for {missing} of {expected} clients to join", 1) }, WireJson.Default.CheckInReply).ConfigureAwait(false);
                return;
            }

            (var outcome, client, var retry) = await host.JoinAsync(who.Id, request.Examples).ConfigureAwait(false);
            if (outcome != HostOutcome.Done)
            {
                await context.RefuseAsync(outcome, retry).ConfigureAwait(false);
                return;
            }

            wait -= service.Clock.GetElapsedTime(begun);
        }

        using var polling = service.Metrics.Polling();
        var result = await host.CheckInAsync(client, wait, context.RequestAborted).ConfigureAwait(false);
        await AnswerAsync(context, host, result).ConfigureAwait(false);
    }

    private async Task AnswerAsync(HttpContext context, IRun host, CheckInResult result)
    {
        if (WireReplies.Of(result, host.Parts) is { } reply)
        {
            if (result is Granted shuffled && host.Parts.Shuffle is { } terms)
            {
                if (await ShufflingEndpoints.WithWayAsync(reply, shuffled, host, terms, service, context.RequestAborted).ConfigureAwait(false) is not { } onItsWay)
                {
                    var wait = new WaitMessage($"one of the run's shufflers ({string.Join(", ", terms.Shufflers)}) is not registered any more", 10);
                    await JsonBody.WriteAsync(context, new CheckInReply { Wait = wait }, WireJson.Default.CheckInReply).ConfigureAwait(false);
                    return;
                }

                reply = onItsWay;
            }

            if (result is Granted granted)
            {
                service.Metrics.CheckedIn("assignment");
                Tracing.Granted(host.Entry.Id, granted.Assignment, context.Who().Id);
            }

            await JsonBody.WriteAsync(context, reply, WireJson.Default.CheckInReply).ConfigureAwait(false);
        }
        else if (result is NotAsked refused)
        {
            await context.RefuseAsync(refused.Outcome, refused.RetryAfter).ConfigureAwait(false);
        }
    }

    private async Task WatchAsync(HttpContext context)
    {
        if (await context.AssignmentAsync(service).ConfigureAwait(false) is not var (host, client, assignment))
        {
            return;
        }

        var (outcome, state) = await host.WatchAsync(assignment, client, context.WaitOf(), context.RequestAborted).ConfigureAwait(false);
        if (outcome != HostOutcome.Done)
        {
            await context.RefuseAsync(outcome, TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            return;
        }

        if (state.Standing == AssignmentStanding.Unknown)
        {
            await context.RefuseAsync(Problems.AssignmentNotYours, $"{assignment} was not given to this client.").ConfigureAwait(false);
            return;
        }

        double? left = state.Standing == AssignmentStanding.Open && double.IsFinite(state.SecondsLeft) ? state.SecondsLeft : null;
        await JsonBody.WriteAsync(
            context, new AssignmentStateMessage(state.Standing.ToString().ToLowerInvariant(), left), WireJson.Default.AssignmentStateMessage).ConfigureAwait(false);
    }

    private async Task FailAsync(HttpContext context)
    {
        if (await context.AssignmentAsync(service).ConfigureAwait(false) is not var (host, client, assignment)
            || await JsonBody.ReadAsync(context, WireJson.Default.FailRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        var (_, state) = await host.WatchAsync(assignment, client, TimeSpan.Zero, context.RequestAborted).ConfigureAwait(false);
        if (state.Standing == AssignmentStanding.Unknown)
        {
            await context.RefuseAsync(Problems.AssignmentNotYours, $"{assignment} was not given to this client.").ConfigureAwait(false);
            return;
        }

        var reason = request.Reason.Length <= 200 ? request.Reason : request.Reason[..200];
        var posted = await host.FailAsync(assignment, client, reason).ConfigureAwait(false);
        if (posted.Outcome != HostOutcome.Done)
        {
            await context.RefuseAsync(posted.Outcome, posted.RetryAfter).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task EvaluateAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host || !await context.IsOpenAsync(host).ConfigureAwait(false)
            || await JsonBody.ReadAsync(context, WireJson.Default.EvaluationReport).ConfigureAwait(false) is not { } report)
        {
            return;
        }

        if (await host.FindAsync(context.Who().Id, context.RequestAborted).ConfigureAwait(false) is not { } client)
        {
            await context.RefuseAsync(Problems.AssignmentNotYours, "This client has not joined the run; check in first.").ConfigureAwait(false);
            return;
        }

        var score = new ClientScore(client, report.Examples, report.Accuracy, report.Loss);
        if (!score.IsSound)
        {
            await context.RefuseAsync(Problems.Malformed, "An evaluation needs examples above 0, an accuracy in [0, 1] and a finite loss.").ConfigureAwait(false);
            return;
        }

        var version = int.Parse(context.Value("version"), System.Globalization.CultureInfo.InvariantCulture);
        var outcome = await host.ReportAsync(version, score).ConfigureAwait(false);
        if (outcome.Outcome != HostOutcome.Done)
        {
            await context.RefuseAsync(outcome.Outcome, outcome.RetryAfter).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
