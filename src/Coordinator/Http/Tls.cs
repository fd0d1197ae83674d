using System.Security.Cryptography.X509Certificates;
using Federated.Coordinator.Identity;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Federated.Coordinator.Http;

/// <summary>The server's certificate, and what is asked of clients' certificates.</summary>
internal sealed class Tls
{
    private readonly X509Certificate2 certificate;
    private readonly X509Certificate2Collection chain = [];
    private readonly PrivateAuthority? authority;
    private readonly TimeProvider clock;

    private Tls(X509Certificate2 certificate, PrivateAuthority? authority, TimeProvider clock) => (this.certificate, this.authority, this.clock) = (certificate, authority, clock);

    /// <exception cref="CoordinatorException">There is no certificate, or it cannot be read.</exception>
    public static Tls Open(CoordinatorOptions options, string folder, TimeProvider clock)
    {
        var pki = Path.Combine(folder, "pki");
        if (options.Certificate.Length == 0)
        {
            // TLS is the default, so it must not need a day of reading: a private authority, and a certificate for this machine's names.
            var own = PrivateAuthority.OpenOrCreate(pki, clock);
            return new Tls(own.ServerCertificate(), own, clock);
        }

        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(options.Certificate, options.CertificateKey.Length > 0 ? options.CertificateKey : null);
            var tls = new Tls(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null), PrivateAuthority.TryOpen(pki, clock), clock);
            tls.chain.ImportFromPemFile(options.Certificate);
            return tls;
        }
        catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new CoordinatorException($"The certificate '{options.Certificate}' with key '{options.CertificateKey}' cannot be used: {e.Message}", e);
        }
    }

    public void Configure(HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificate = certificate;
        https.ServerCertificateChain = chain;
        https.SslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13;
        if (authority is not null)
        {
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = (offered, _, _) => authority.IsClient(offered, clock.GetUtcNow());
        }
    }
}
