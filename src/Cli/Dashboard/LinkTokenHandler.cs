using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Federated.Cli.Dashboard;

/// <summary>Takes a link's token: from the <c>Authorization</c> header, or for the hub, whose browsers cannot set one, from the query.</summary>
internal sealed class LinkTokenHandler(LinkTokens tokens, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "link";

    private const string Bearer = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        var token = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..]
            : Request.Path.StartsWithSegments("/hubs", StringComparison.Ordinal) ? Request.Query["access_token"].ToString()
            : "";
        if (token.Length == 0)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        if (tokens.RoleOf(token) is not { } role)
        {
            return Task.FromResult(AuthenticateResult.Fail("The token is not one of this dashboard."));
        }

        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Role, role)], Scheme);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme)));
    }
}
