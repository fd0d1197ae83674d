using System.Globalization;
using System.Net;

namespace Federated.Coordinator.Http;

/// <summary>Where the coordinator listens.</summary>
/// <param name="Host">As it was written: an address, <c>localhost</c>, or <c>*</c> for all addresses.</param>
/// <param name="UsesTls">HTTP/1.1 and HTTP/2 over TLS.</param>
/// <param name="IsCleartextHttp2">HTTP/2 alone, without TLS (<c>h2c://</c>); cleartext cannot negotiate between the two.</param>
public sealed record ListenAddress(string Host, int Port, bool UsesTls, bool IsCleartextHttp2)
{
    public const int DefaultTlsPort = 8443;

    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Takes an address apart. Without a scheme it is <c>http</c> on loopback and <c>https</c> elsewhere.</summary>
    /// <exception cref="CoordinatorException">It is no address, or one without TLS that others could reach.</exception>
    public static ListenAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split("://", 2);
        var (scheme, rest) = parts.Length == 2 ? (parts[0].ToLowerInvariant(), parts[1].TrimEnd('/')) : ("", parts[0]);
        var colon = rest.LastIndexOf(':');
        var hasPort = colon >= 0 && !rest.EndsWith(']');
        var host = (hasPort ? rest[..colon] : rest).Trim('[', ']');
        host = host is "" or "+" or "0.0.0.0" or "::" ? host is "::" ? "::" : "*" : host;
        if (scheme is not ("" or "http" or "https" or "h2c") || (host is not ("*" or "localhost" or "::") && !IPAddress.TryParse(host, out _)) || host.All(char.IsAsciiDigit))
        {
            throw new CoordinatorException($"'{text}' is no address to listen on. Write for example http://127.0.0.1:7431, https://0.0.0.0:8443 or https://[::]:8443; names other than localhost are not looked up, and a port alone is not enough.");
        }

        var address = new ListenAddress(host, 0, scheme == "https", scheme == "h2c");
        if (scheme.Length == 0)
        {
            address = address with { UsesTls = !address.IsLoopback };
        }

        if (!address.UsesTls && !address.IsLoopback)
        {
            throw new CoordinatorException(
                $"'{text}' can be reached from other machines, and without TLS anybody between could read models and tokens. Write https:// (fed pki makes certificates), or listen on 127.0.0.1 behind a proxy that does TLS.");
        }

        var port = address.UsesTls ? DefaultTlsPort : 7431;
        if (hasPort && (!int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port > 65535))
        {
            throw new CoordinatorException($"'{text}' needs a port from 0 to 65535 behind the colon.");
        }

        return address with { Port = port };
    }
}
