using System.Buffers;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.SecureAggregation;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>The steps of secure aggregation: small JSON bodies, and masked vectors whose length is known before they are read.</summary>
internal sealed class SecureSumEndpoints(CoordinatorService service)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/runs/{run}/assignments/{assignment}/secure-sum/{step}", TakeAsync).WithMetadata(Access.Client,
            new Says("Take a step of a secure-aggregation session: keys, shares, input, signature or unmask.", WireJson.Default.KeyShares, Status: 204));
        routes.MapGet("/v1/runs/{run}/assignments/{assignment}/secure-sum", StateAsync).WithMetadata(Access.Client,
            new Says("How the session stands, past a phase (after=share-keys, long poll by waitSeconds).", Reply: WireJson.Default.SecureSumState));
        routes.MapGet("/v1/runs/{run}/secure-sums", FactsAsync).WithMetadata(Access.Viewer,
            new Says("The latest sessions of secure aggregation: dropouts and margins.", Reply: WireJson.Default.SecureSumFacts));
    }

    /// <summary>The run's intake, or an answer that it has none.</summary>
    private static async ValueTask<ISecureSums?> IntakeAsync(HttpContext context, IRun run)
    {
        if (run.SecureSums is { } intake)
        {
            return intake;
        }

        await context.RefuseAsync(Problems.RunState, "This run takes updates one by one: it has no secure aggregation.").ConfigureAwait(false);
        return null;
    }

    private async Task TakeAsync(HttpContext context)
    {
        if (await context.AssignmentAsync(service).ConfigureAwait(false) is not var (run, client, assignment)
            || await IntakeAsync(context, run).ConfigureAwait(false) is not { } intake)
        {
            return;
        }

        var step = context.Value("step");
        if (intake.LimitOf(step) is not { } limit)
        {
            await context.RefuseAsync(Problems.NotFound, "The steps are keys, shares, input, signature and unmask.").ConfigureAwait(false);
            return;
        }

        if (context.Request.ContentLength is not { } length)
        {
            await context.RefuseAsync(Problems.LengthRequired, "Send Content-Length; what is not known to fit is not read.").ConfigureAwait(false);
            return;
        }

        if (length > limit || (step == SecureSumSteps.Input && length != limit))
        {
            await context.RefuseAsync(Problems.TooLarge, $"Step {step} takes {(step == SecureSumSteps.Input ? "exactly" : "at most")} {limit} bytes here; {length} were announced.").ConfigureAwait(false);
            return;
        }

        if (context.Request.ContentType is not { } type || !type.StartsWith(step == SecureSumSteps.Input ? SecureSumSteps.InputType : "application/json", StringComparison.OrdinalIgnoreCase))
        {
            await context.RefuseAsync(Problems.MediaType, $"Step input is {SecureSumSteps.InputType}, the others application/json.").ConfigureAwait(false);
            return;
        }

        var (who, isLarge) = (context.Who().Id, length > CoordinatorOptions.SmallBody);
        if (isLarge && service.Slots.TryTake(who) is { } problem)
        {
            await context.RefuseAsync(problem, "Too many large bodies are coming in; send this one later.", TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            return;
        }

        var body = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            if (isLarge && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            {
                size.MaxRequestBodySize = length;
            }

            await context.Request.Body.ReadExactlyAsync(body.AsMemory(0, (int)length), context.RequestAborted).ConfigureAwait(false);
            service.Metrics.Received(length);
            if (step == SecureSumSteps.Keys && !await IsOwnKeyAsync(context, who, body.AsMemory(0, (int)length)).ConfigureAwait(false))
            {
                return;
            }

            var answer = await intake.TakeAsync(client, assignment, step, body.AsMemory(0, (int)length), context.RequestAborted).ConfigureAwait(false);
            await AnswerAsync(context, answer).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(body);
            if (isLarge)
            {
                service.Slots.Release(who);
            }
        }
    }

    /// <summary>A member's identity is the key that it enrolled with; one that has none (a certificate) brings one of its own.</summary>
    private async ValueTask<bool> IsOwnKeyAsync(HttpContext context, string who, ReadOnlyMemory<byte> body)
    {
        if (await service.Identities.KeyOfAsync(who).ConfigureAwait(false) is not { } enrolled)
        {
            return true;
        }

        try
        {
            if (System.Text.Json.JsonSerializer.Deserialize(body.Span, WireJson.Default.Advertisement) is { } sent
                && System.Buffers.Text.Base64Url.EncodeToString(sent.IdentityKey) == enrolled)
            {
                return true;
            }

            await context.RefuseAsync(Problems.KeyInvalid, "The identity key is not the one that this client enrolled with.").ConfigureAwait(false);
        }
        catch (System.Text.Json.JsonException e)
        {
            await context.RefuseAsync(Problems.Malformed, e.Message).ConfigureAwait(false);
        }

        return false;
    }

    private static Task AnswerAsync(HttpContext context, StepAnswer answer)
    {
        switch (answer.Verdict)
        {
            case StepVerdict.Taken:
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                return Task.CompletedTask;
            case StepVerdict.Unavailable:
                return context.RefuseAsync(Problems.Unavailable, answer.Detail, TimeSpan.FromSeconds(1));
            default:
                var type = answer.Verdict switch
                {
                    StepVerdict.Unknown => Problems.SessionUnknown,
                    StepVerdict.Malformed => Problems.Malformed,
                    _ => Problems.SessionRefused,
                };
                return context.RefuseAsync(type, answer.Detail);
        }
    }

    private async Task StateAsync(HttpContext context)
    {
        if (await context.AssignmentAsync(service).ConfigureAwait(false) is not var (run, client, assignment)
            || await IntakeAsync(context, run).ConfigureAwait(false) is not { } intake)
        {
            return;
        }

        var after = new SecureSumState(context.Request.Query["after"].ToString(), "").Known;
        using var polling = service.Metrics.Polling();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, service.Draining.Token);
        try
        {
            var state = await intake.StateAsync(client, assignment, after, context.WaitOf(), ending.Token).ConfigureAwait(false);
            await JsonBody.WriteAsync(context, state, WireJson.Default.SecureSumState).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await context.RefuseAsync(Problems.Closing, "The coordinator is stopping; ask again.", TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }
    }

    private async Task FactsAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is { } run)
        {
            var facts = run.SecureSums is { } intake ? await intake.FactsAsync(context.RequestAborted).ConfigureAwait(false) : new SecureSumFacts([]);
            await JsonBody.WriteAsync(context, facts, WireJson.Default.SecureSumFacts).ConfigureAwait(false);
        }
    }
}
