using Federated.Coordinator.Identity;
using Federated.Protocol;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>Enrolment and tokens; what operators do with clients and credentials.</summary>
internal sealed class IdentityEndpoints(CoordinatorService service)
{
    private const int MaxName = 100;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1", AboutAsync).WithMetadata(Access.Anybody,
            new Says("Who speaks what: coordinator id and protocol versions.", Reply: WireJson.Default.AboutMessage));
        routes.MapPost("/v1/clients", EnrolAsync).WithMetadata(Access.Anybody,
            new Says("Enrol a client by an enrolment token.", WireJson.Default.EnrolmentRequest, Reply: WireJson.Default.EnrolmentReply, Status: 201));
        routes.MapPost("/v1/tokens", ExchangeAsync).WithMetadata(Access.Anybody,
            new Says("An access token for a signed assertion.", WireJson.Default.TokenRequest, Reply: WireJson.Default.TokenReply));
        routes.MapGet("/v1/clients", ListAsync).WithMetadata(Access.Viewer, new Says("Enrolled clients.", Reply: WireJson.Default.ClientList));
        routes.MapPost("/v1/clients/{client}:rotate", RotateAsync).WithMetadata(Access.Client with { Act = "rotate key" },
            new Says("Replace the own public key.", WireJson.Default.RotateKeyRequest, Status: 204));
        routes.MapPost("/v1/clients/{id}:revoke", RevokeAsync).WithMetadata(Access.Operator with { Act = "revoke client" },
            new Says("Revoke a client.", WireJson.Default.RevokeRequest, Status: 204));
        routes.MapGet("/v1/credentials", TokensAsync).WithMetadata(Access.Operator,
            new Says("Tokens that were given out, without their secrets.", Reply: WireJson.Default.TokenList));
        routes.MapPost("/v1/credentials/{id}:revoke", RevokeAsync).WithMetadata(Access.Operator with { Act = "revoke token" },
            new Says("Revoke a token.", WireJson.Default.RevokeRequest, Status: 204));
        routes.MapPost("/v1/enrolment-tokens", CreateEnrolmentAsync).WithMetadata(Access.Operator with { Act = "create enrolment token" },
            new Says("Make an enrolment token.", WireJson.Default.EnrolmentTokenRequest, Reply: WireJson.Default.NewTokenMessage, Status: 201));
        routes.MapPost("/v1/access-tokens", CreateAccessAsync).WithMetadata(Access.Operator with { Act = "create access token" },
            new Says("Make a token for an operator or a viewer.", WireJson.Default.AccessTokenRequest, Reply: WireJson.Default.NewTokenMessage, Status: 201));
    }

    private Task AboutAsync(HttpContext context) => JsonBody.WriteAsync(
        context,
        new AboutMessage(service.Identities.Coordinator, ProtocolVersion.Oldest, ProtocolVersion.Current, typeof(IdentityEndpoints).Assembly.GetName().Version!.ToString(3)),
        WireJson.Default.AboutMessage);

    private async Task EnrolAsync(HttpContext context)
    {
        if (await JsonBody.ReadAsync(context, WireJson.Default.EnrolmentRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        if (request.Name.Length is 0 or > MaxName || request.Name.Any(char.IsControl))
        {
            await context.RefuseAsync(Problems.Malformed, $"A name has 1 to {MaxName} characters, none of them a control character.").ConfigureAwait(false);
            return;
        }

        var (client, refusal) = await service.Identities.EnrolAsync(request.Token, request.PublicKey, request.Name).ConfigureAwait(false);
        await service.Audit.WriteAsync(null, "enrol", client ?? "", refusal == Refusal.None ? "done" : refusal.ToString(), request.Name).ConfigureAwait(false);
        if (client is null)
        {
            await RefuseAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        await JsonBody.WriteAsync(
            context, new EnrolmentReply(client, service.Identities.Coordinator), WireJson.Default.EnrolmentReply, StatusCodes.Status201Created).ConfigureAwait(false);
    }

    private async Task ExchangeAsync(HttpContext context)
    {
        if (await JsonBody.ReadAsync(context, WireJson.Default.TokenRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        var (token, seconds, refusal, detail) = await service.Identities.ExchangeAsync(request.Assertion).ConfigureAwait(false);
        if (token is null)
        {
            service.Metrics.Refused(refusal.ToString());
            var (type, advice) = Problems.Of(refusal);
            await context.RefuseAsync(type, detail.Length > 0 ? detail : advice).ConfigureAwait(false);
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        await JsonBody.WriteAsync(context, new TokenReply(token, seconds), WireJson.Default.TokenReply).ConfigureAwait(false);
    }

    private async Task ListAsync(HttpContext context) => await JsonBody.WriteAsync(
        context,
        new ClientList(
        [
            .. (await service.Identities.ClientsAsync().ConfigureAwait(false)).Select(c => new ClientMessage(
                c.Client, c.Name, RunReports.Time(c.EnrolledAt), c.HasKey ? "key" : "certificate", c.RevokedAt is { } at ? RunReports.Time(at) : null)
            {
                LastSeen = c.Activity is { } seen ? RunReports.Time(seen.LastSeen) : null,
                SecondsPerStep = c.Activity is { SecondsPerStep: > 0 } active ? active.SecondsPerStep : null,
                Runs = [.. (c.Activity?.Runs ?? []).Select(r => new ClientPartMessage(r.Run, r.Number, r.Assignments, r.Updates))],
            }),
        ]),
        WireJson.Default.ClientList).ConfigureAwait(false);

    private async Task TokensAsync(HttpContext context) => await JsonBody.WriteAsync(
        context,
        new TokenList([.. (await service.Identities.TokensAsync().ConfigureAwait(false)).Select(t => new TokenMessage(t.Id, t.Kind, t.Name, t.State, t.Expires is { } end ? RunReports.Time(end) : null))]),
        WireJson.Default.TokenList).ConfigureAwait(false);

    private async Task RotateAsync(HttpContext context)
    {
        if (await JsonBody.ReadAsync(context, WireJson.Default.RotateKeyRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        if (context.Value("client") != context.Who().Id)
        {
            await context.RefuseAsync(Problems.NotAllowed, "A client replaces its own key only.").ConfigureAwait(false);
            return;
        }

        var refusal = await service.Identities.RotateAsync(context.Who().Id, request.PublicKey).ConfigureAwait(false);
        if (refusal != Refusal.None)
        {
            await RefuseAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task RevokeAsync(HttpContext context)
    {
        if (await JsonBody.ReadAsync(context, WireJson.Default.RevokeRequest).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        if (!await service.Identities.RevokeAsync(context.Value("id"), request.Reason).ConfigureAwait(false))
        {
            await context.RefuseAsync(Problems.NotFound, "There is no client and no token of that id.").ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task CreateEnrolmentAsync(HttpContext context)
    {
        if (await JsonBody.ReadAsync(context, WireJson.Default.EnrolmentTokenRequest).ConfigureAwait(false) is not { } request
            || !await IsLifetimeAsync(context, request.Seconds).ConfigureAwait(false))
        {
            return;
        }

        var (id, token) = await service.Identities.CreateEnrolmentTokenAsync(request.Name, Lifetime(request.Seconds), request.Reusable).ConfigureAwait(false);
        await GiveAsync(context, id, token).ConfigureAwait(false);
    }

    private async Task CreateAccessAsync(HttpContext context)
    {
        if (await JsonBody.ReadAsync(context, WireJson.Default.AccessTokenRequest).ConfigureAwait(false) is not { } request
            || !await IsLifetimeAsync(context, request.Seconds).ConfigureAwait(false))
        {
            return;
        }

        var role = request.Role switch { "operator" => Role.Operator, "viewer" => Role.Viewer, _ => Role.Client };
        if (role == Role.Client)
        {
            await context.RefuseAsync(Problems.Malformed, "role must be operator or viewer; clients enrol.").ConfigureAwait(false);
            return;
        }

        var (id, token) = await service.Identities.CreateAccessTokenAsync(role, request.Name, Lifetime(request.Seconds)).ConfigureAwait(false);
        await GiveAsync(context, id, token).ConfigureAwait(false);
    }

    private static Task GiveAsync(HttpContext context, string id, string token)
    {
        context.Response.Headers.CacheControl = "no-store";
        return JsonBody.WriteAsync(context, new NewTokenMessage(id, token), WireJson.Default.NewTokenMessage, StatusCodes.Status201Created);
    }

    private static async ValueTask<bool> IsLifetimeAsync(HttpContext context, double seconds)
    {
        if (seconds is >= 0 and <= 1e9)
        {
            return true;
        }

        await context.RefuseAsync(Problems.Malformed, "seconds must be 0 (no end) to 1e9.").ConfigureAwait(false);
        return false;
    }

    private static TimeSpan? Lifetime(double seconds) => seconds > 0 ? TimeSpan.FromSeconds(seconds) : null;

    private static Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        var (type, detail) = Problems.Of(refusal);
        return context.RefuseAsync(type, detail);
    }
}
