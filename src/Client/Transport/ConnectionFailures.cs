using System.Security.Authentication;

namespace Federated.Client.Transport;

/// <summary>What a connection that did not come about means, in words that say what to change.</summary>
public static class ConnectionFailures
{
    /// <summary>Says why an address does not answer.</summary>
    /// <param name="address">What was asked.</param>
    /// <param name="failure">What the HTTP client threw.</param>
    public static string Describe(Uri? address, Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var root = failure.GetBaseException().Message;
        return WhyOf(address, failure) switch
        {
            Why.Name => $"{address} has a certificate for another name ({root}). Connect by a name that it was made for (fed pki server --name …).",
            Why.Untrusted => $"{address} has a certificate that is not trusted here ({root}). Give the certificate of the authority behind it: the coordinator's pki/ca.crt, by --ca or $FED_CA.",
            Why.NoTls => $"{address} does not answer in TLS ({root}). If it is meant to be without, write http://.",
            Why.NoHttp => $"{address} does not answer in HTTP ({root}). If it speaks TLS, write https://.",
            _ => $"{address} does not answer: {root}",
        };
    }

    /// <summary>Whether trying again cannot help until somebody changes an address or a certificate.</summary>
    public static bool IsLasting(Uri? address, Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return WhyOf(address, failure) is Why.Name or Why.Untrusted or Why.NoTls;
    }

    private static Why WhyOf(Uri? address, Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (e is AuthenticationException)
            {
                // The runtime has no other sign of what it found wrong than this word of its message.
                return e.Message.Contains("RemoteCertificateNameMismatch", StringComparison.Ordinal) ? Why.Name
                    : e.Message.Contains("certificate", StringComparison.Ordinal) ? Why.Untrusted
                    : Why.NoTls;
            }
        }

        return failure is HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } && address?.Scheme == Uri.UriSchemeHttp ? Why.NoHttp : Why.Away;
    }

    private enum Why
    {
        Away,
        Name,
        Untrusted,
        NoTls,
        NoHttp,
    }
}
