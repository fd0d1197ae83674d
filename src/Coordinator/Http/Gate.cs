using System.Globalization;
using Federated.Coordinator.Identity;
using Federated.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Federated.Coordinator.Http;

/// <summary>
/// What every request passes before its endpoint, and before a byte of its body is read: is the coordinator ready, is the protocol version
/// spoken, who is it, may it, and how often does it come.
/// </summary>
internal sealed class Gate(CoordinatorService service, RequestDelegate next)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    public async Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        var access = endpoint?.Metadata.GetMetadata<Access>() ?? (IsProtected(context.Request.Path) ? Access.Viewer : Access.Anybody);
        LimitBody(context);
        if (endpoint is not null && access != Access.Anybody && !service.IsReady)
        {
            var type = service.Draining.IsCancellationRequested ? Problems.Closing : Problems.Unavailable;
            await context.RefuseAsync(type, "The runs are being loaded or saved; ask again.", Soon).ConfigureAwait(false);
            return;
        }

        if (!await SpeaksAsync(context, access).ConfigureAwait(false))
        {
            return;
        }

        if (context.Request.Headers.ContentEncoding.Count > 0)
        {
            await context.RefuseAsync(Problems.MediaType, "Compressed bodies are not taken: a few bytes could become very many. Send the body as it is.").ConfigureAwait(false);
            return;
        }

        Principal? who = null;
        if (access.Needed is not null)
        {
            (who, var refusal) = await IdentifyAsync(context).ConfigureAwait(false);
            if (who is null)
            {
                service.Metrics.Refused(refusal.ToString());
                var (type, detail) = Problems.Of(refusal);
                await context.RefuseAsync(type, detail).ConfigureAwait(false);
                return;
            }

            if (!access.Admits(who))
            {
                service.Metrics.Refused(nameof(Problems.NotAllowed));
                await service.Audit.WriteAsync(who, access.Act.Length > 0 ? access.Act : context.Request.Method, context.Request.Path, "refused").ConfigureAwait(false);
                await context.RefuseAsync(Problems.NotAllowed, $"This needs the role {access.Needed.ToString()!.ToLowerInvariant()}; the credential is of a {who.Role.ToString().ToLowerInvariant()}.").ConfigureAwait(false);
                return;
            }

            context.Features.Set(who);
        }

        if (Limit(context, who) is { Ticks: > 0 } wait)
        {
            service.Metrics.Refused(nameof(Problems.TooManyRequests));
            await context.RefuseAsync(Problems.TooManyRequests, "More requests came than one client may make; come back later.", wait).ConfigureAwait(false);
            return;
        }

        await next(context).ConfigureAwait(false);
        if (access.Act.Length > 0)
        {
            var outcome = context.Response.StatusCode < 400 ? "done" : context.Response.StatusCode.ToString(CultureInfo.InvariantCulture);
            await service.Audit.WriteAsync(who, access.Act, context.Request.Path, outcome).ConfigureAwait(false);
        }
    }

    private static bool IsProtected(PathString path) => path.StartsWithSegments("/v1", StringComparison.Ordinal) || path.StartsWithSegments("/hubs", StringComparison.Ordinal);

    /// <summary>Endpoints that take larger bodies raise these themselves, once they know what may come.</summary>
    private static void LimitBody(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = CoordinatorOptions.SmallBody;
        }
    }

    private static async ValueTask<bool> SpeaksAsync(HttpContext context, Access access)
    {
        var spoken = context.Request.Headers[ProtocolVersion.Header];
        if (spoken.Count == 0 && !access.IsProtocol)
        {
            return true;
        }

        if (int.TryParse(spoken.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var version) && ProtocolVersion.IsSpoken(version))
        {
            return true;
        }

        await context.RefuseAsync(
            Problems.ProtocolVersion,
            $"Versions {ProtocolVersion.Oldest} to {ProtocolVersion.Current} are spoken here; the header {ProtocolVersion.Header} says '{Shorten(spoken.ToString())}'. Update the client.").ConfigureAwait(false);
        return false;
    }

    private async ValueTask<(Principal? Who, Refusal Refusal)> IdentifyAsync(HttpContext context)
    {
        const string scheme = "Bearer ";
        var header = context.Request.Headers.Authorization;
        if (header.Count == 1 && header[0] is { } text && text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return await service.Identities.AuthenticateAsync(text.Length == scheme.Length ? "" : BearerOf(context, text)).ConfigureAwait(false);
        }

        // A browser's WebSocket cannot send headers; SignalR's own convention.
        if (context.Request.Path.StartsWithSegments("/hubs", StringComparison.Ordinal) && context.Request.Query["access_token"] is [{ Length: > 0 } query])
        {
            return await service.Identities.AuthenticateAsync(query).ConfigureAwait(false);
        }

        if (context.Connection.ClientCertificate is { } certificate)
        {
            // The handshake has checked the chain against the private authority.
            return await service.Identities.AuthenticateCertificateAsync(
                certificate.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, forIssuer: false)).ConfigureAwait(false);
        }

        return (null, Refusal.CredentialMissing);
    }

    /// <summary>The token without a copy per request: a connection mostly sends the same header again.</summary>
    private static string BearerOf(HttpContext context, string header)
    {
        var items = context.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>()?.Items;
        if (items is not null && items.TryGetValue(typeof(Gate), out var known) && known is (string seen, string token) && ReferenceEquals(seen, header))
        {
            return token;
        }

        token = header["Bearer ".Length..].Trim();
        if (items is not null && context.Request.Protocol == HttpProtocol.Http11)
        {
            items[typeof(Gate)] = (header, token);
        }

        return token;
    }

    private TimeSpan Limit(HttpContext context, Principal? who)
    {
        if (who is null)
        {
            return context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal)
                ? service.AddressLimits.Take(context.Connection.RemoteIpAddress?.ToString() ?? "")
                : TimeSpan.Zero;
        }

        return who.Role == Role.Client ? service.ClientLimits.Take(who.Id) : TimeSpan.Zero;
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40];
}
