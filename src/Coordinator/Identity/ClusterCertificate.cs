using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Federated.Coordinator.Identity;

/// <summary>
/// What the silos of one cluster know each other by: a certificate that signed itself, with its key, the same on every silo. Whoever has the key is a silo,
/// and nobody else is, whatever authority vouches for them; the database that the silos share trusts them alike.
/// </summary>
/// <remarks>
/// P-256. The file may hold more certificates than the own one: those of silos that have another key already, or still, while one is replaced.
/// Known are these very certificates, within their time; names and issuers mean nothing here.
/// </remarks>
public sealed class ClusterCertificate
{
    private const string ClientUse = "1.3.6.1.5.5.7.3.2", ServerUse = "1.3.6.1.5.5.7.3.1";

    private static readonly TimeSpan Backdated = TimeSpan.FromMinutes(10);

    private readonly IReadOnlyList<byte[]> known;
    private readonly TimeProvider clock;

    private ClusterCertificate(X509Certificate2 own, IReadOnlyList<byte[]> known, TimeProvider clock) => (Own, this.known, this.clock) = (own, known, clock);

    /// <summary>What this silo shows, with its key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>Where a coordinator's data directory keeps certificate and key.</summary>
    public static (string Certificate, string Key) FilesIn(string dataDirectory) =>
        (Path.Combine(dataDirectory, "pki", "silo.crt"), Path.Combine(dataDirectory, "pki", "silo.key"));

    /// <summary>Makes a certificate and its key.</summary>
    /// <param name="life">How long it is good for.</param>
    /// <returns>The certificate's SHA-256, to be compared.</returns>
    /// <exception cref="IdentityException">There is one already.</exception>
    public static string Create(string certificateFile, string keyFile, TimeSpan life, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        if (File.Exists(certificateFile) || File.Exists(keyFile))
        {
            throw new IdentityException(
                $"'{certificateFile}' or its key is there already, and silos that have it would not know one with another. Choose another folder, and see docs/operations.md on replacing it.");
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Federated silo {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerUse), new Oid(ClientUse)], true));
        var now = clock.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - Backdated, now + life);
        PrivateFile.Write(keyFile, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }

    /// <exception cref="IdentityException">A file is missing or damaged, the key is of none of the certificates, or the own one's time is over.</exception>
    public static ClusterCertificate Open(string certificateFile, string keyFile, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPemFile(certificateFile);
            using var key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(keyFile));
            var mine = key.ExportSubjectPublicKeyInfo();
            var own = all.FirstOrDefault(c => c.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(mine))
                ?? throw new IdentityException($"None of the certificates in '{certificateFile}' belongs to the key '{keyFile}'. Copy both from one silo to the other.");
            if (own.NotAfter.ToUniversalTime() <= clock.GetUtcNow().UtcDateTime)
            {
                throw new IdentityException($"The certificate of the key '{keyFile}' was good until {own.NotAfter.ToUniversalTime():u}: no silo would know this one. Make another with fed pki silo, and give it to all.");
            }

            using var whole = own.CopyWithPrivateKey(key);

            // Through PKCS#12: a certificate with an ephemeral key is not taken by every TLS stack.
            return new ClusterCertificate(X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null), [.. all.Select(c => c.RawData)], clock);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IdentityException($"The silos' certificate '{certificateFile}' with key '{keyFile}' cannot be used: {e.Message}", e);
        }
        finally
        {
            foreach (var certificate in all)
            {
                certificate.Dispose();
            }
        }
    }

    /// <summary>Whether whoever shows this is a silo of the cluster; that they have its key is what the handshake has found out.</summary>
    public bool IsSilo(X509Certificate2 offered)
    {
        ArgumentNullException.ThrowIfNull(offered);
        var now = clock.GetUtcNow().UtcDateTime;
        return offered.NotBefore.ToUniversalTime() <= now && now < offered.NotAfter.ToUniversalTime() && known.Any(k => k.AsSpan().SequenceEqual(offered.RawData));
    }
}
