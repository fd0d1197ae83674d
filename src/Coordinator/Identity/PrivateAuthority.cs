using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Federated.Coordinator.Identity;

/// <summary>A certificate authority of one coordinator: for its own server certificate, and for clients that show who they are by mutual TLS.</summary>
/// <remarks>
/// P-256 throughout. Folder: <c>ca.crt</c> (give it to clients), <c>ca.key</c> (keep it, or move it offline and issue elsewhere),
/// <c>server.crt</c>, <c>server.key</c>, <c>clients/ID.crt</c>. A client's certificate is good when this authority signed it, it is for client
/// authentication and its time has not passed; revocation is by the client's id in the identity store, which is asked on every request.
/// </remarks>
public sealed class PrivateAuthority
{
    private const string ClientUse = "1.3.6.1.5.5.7.3.2", ServerUse = "1.3.6.1.5.5.7.3.1";

    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650), LeafLife = TimeSpan.FromDays(365), Backdated = TimeSpan.FromMinutes(10);

    private readonly string folder;
    private readonly X509Certificate2 root;
    private readonly TimeProvider clock;

    private PrivateAuthority(string folder, X509Certificate2 root, TimeProvider clock) => (this.folder, this.root, this.clock) = (folder, root, clock);

    /// <summary>The authority's own certificate, without its key, as PEM.</summary>
    public string CertificatePem => root.ExportCertificatePem();

    /// <summary>SHA-256 of it: what people compare.</summary>
    public string Fingerprint => root.GetCertHashString(HashAlgorithmName.SHA256);

    /// <summary>Opens the authority of a folder; null when there is none.</summary>
    public static PrivateAuthority? TryOpen(string folder, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var path = Path.Combine(folder, "ca.crt");
        try
        {
            return File.Exists(path) ? new PrivateAuthority(folder, X509CertificateLoader.LoadCertificateFromFile(path), clock) : null;
        }
        catch (CryptographicException e)
        {
            throw new IdentityException($"'{path}' is no certificate: {e.Message}", e);
        }
    }

    /// <summary>Opens the authority of a folder, or makes one.</summary>
    public static PrivateAuthority OpenOrCreate(string folder, TimeProvider clock)
    {
        if (TryOpen(folder, clock) is { } known)
        {
            return known;
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Federated private authority {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = clock.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - Backdated, now + AuthorityLife);
        PrivateFile.Write(Path.Combine(folder, "ca.key"), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        File.WriteAllText(Path.Combine(folder, "ca.crt"), certificate.ExportCertificatePem());
        return TryOpen(folder, clock)!;
    }

    /// <summary>The server's certificate with its key; made for this machine's names when there is none or its time is nearly over.</summary>
    public X509Certificate2 ServerCertificate()
    {
        var (certificate, key) = (Path.Combine(folder, "server.crt"), Path.Combine(folder, "server.key"));
        if (File.Exists(certificate) && File.Exists(key))
        {
            var present = Load(certificate, key);
            if (present.NotAfter.ToUniversalTime() > clock.GetUtcNow().UtcDateTime.AddDays(14))
            {
                return present;
            }

            present.Dispose();
        }

        IssueServer([Dns.GetHostName(), "localhost", "127.0.0.1", "::1"]);
        return Load(certificate, key);
    }

    /// <summary>Issues the server's certificate for names and addresses by which clients will reach it.</summary>
    public void IssueServer(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        Issue(names[0], ServerUse, alternatives.Build(), LeafLife, Path.Combine(folder, "server.crt"), Path.Combine(folder, "server.key"));
    }

    /// <summary>Issues a client's certificate; its common name is the client's id.</summary>
    /// <returns>The files of certificate and key.</returns>
    public (string Certificate, string Key) IssueClient(string client, TimeSpan life, string target)
    {
        if (!Identifier.IsValid(client))
        {
            throw new IdentityException($"'{client}' is no id for a client: 1 to 63 lower-case letters, digits and hyphens are, not beginning with a hyphen.");
        }

        var (certificate, key) = (Path.Combine(target, $"{client}.crt"), Path.Combine(target, $"{client}.key"));
        Issue(client, ClientUse, null, life, certificate, key);
        return (certificate, key);
    }

    /// <summary>Whether a certificate shows a client of this authority.</summary>
    public bool IsClient(X509Certificate2 offered, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(offered);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // Revocation is by id, in the identity store.
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientUse));
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(offered);
    }

    private void Issue(string name, string use, X509Extension? alternatives, TimeSpan life, string certificatePath, string keyPath)
    {
        var authorityKey = Path.Combine(folder, "ca.key");
        if (!File.Exists(authorityKey))
        {
            throw new IdentityException($"The authority's key '{authorityKey}' is not here; issue certificates where it is, and copy them.");
        }

        using var signer = ECDsa.Create();
        signer.ImportFromPem(File.ReadAllText(authorityKey));
        using var issuer = root.CopyWithPrivateKey(signer);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(root, true, false));
        if (alternatives is not null)
        {
            request.CertificateExtensions.Add(alternatives);
        }

        var now = clock.GetUtcNow();
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7F;
        var end = now + life;
        using var certificate = request.Create(issuer, now - Backdated, end.UtcDateTime < root.NotAfter.ToUniversalTime() ? end : root.NotAfter.ToUniversalTime(), serial);
        PrivateFile.Write(keyPath, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
    }

    private static X509Certificate2 Load(string certificate, string key)
    {
        try
        {
            // Through PKCS#12: a certificate with an ephemeral key is not taken by every TLS stack.
            using var pem = X509Certificate2.CreateFromPemFile(certificate, key);
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        }
        catch (CryptographicException e)
        {
            throw new IdentityException($"'{certificate}' and '{key}' do not belong together or are damaged: {e.Message}", e);
        }
    }
}
