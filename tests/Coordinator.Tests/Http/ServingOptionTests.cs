using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Coordinator.Http;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

/// <summary>Options of a coordinator that are no limits.</summary>
public sealed class ServingOptionTests
{
    [Fact]
    public async Task The_certificate_that_is_named_is_shown_with_its_key_from_another_file()
    {
        var folder = Directory.CreateTempSubdirectory("fed-certificate-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=fed.example", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(200));
        var (certificate, keyFile) = (Path.Combine(folder, "fed.crt"), Path.Combine(folder, "fed.key"));
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());

        await using var server = await StartAsync(change: o => o with { Certificate = certificate, CertificateKey = keyFile }, listen: ["https://127.0.0.1:0"]);

        using var tcp = new TcpClient();
        await tcp.ConnectAsync(server.Http.BaseAddress!.Host, server.Http.BaseAddress.Port);
        X509Certificate? shown = null;
        await using var tls = new SslStream(tcp.GetStream(), false, (_, offered, _, _) => (shown = offered) is not null);
        await tls.AuthenticateAsClientAsync("fed.example");
        Assert.Equal(made.GetCertHashString(), shown!.GetCertHashString());
        await Assert.ThrowsAsync<CoordinatorException>(() => StartAsync(change: o => o with { Certificate = certificate }, listen: ["https://127.0.0.1:0"])); // A certificate alone.
    }
}
