using System.Security.Cryptography.X509Certificates;

namespace Federated.Client.Transport;

/// <summary>How a client reaches its coordinator over HTTP.</summary>
public sealed record HttpTransportOptions
{
    /// <summary>Where the coordinator is.</summary>
    public required IEndpoints Endpoints { get; init; }

    /// <summary>Certificates to trust beside, or instead of, the system's: the private CA that <c>fed pki</c> made.</summary>
    /// <value>The default is none: the system's roots decide.</value>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>The client's certificate, for mutual TLS; it takes the place of enrolment and tokens.</summary>
    /// <value>The default is none.</value>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>How long a connection may take to open.</summary>
    /// <value>The default is 15 s.</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a transfer may stand still before it is given up, to be resumed.</summary>
    /// <value>The default is 60 s.</value>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
