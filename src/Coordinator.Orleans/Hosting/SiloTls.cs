using System.Net;
using Federated.Coordinator.Identity;
using Orleans.Connections.Security;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>How silos speak to each other: by mutual TLS where somebody else could reach them.</summary>
/// <remarks>Whoever reaches an open port of a silo acts as one: it is told every secret of the cluster and believed in everything.</remarks>
internal static class SiloTls
{
    /// <summary>The certificate to use; null for none.</summary>
    /// <exception cref="CoordinatorException">The silo could be reached by others and nothing would keep them out; or what was asked for contradicts itself.</exception>
    public static ClusterCertificate? Choose(SiloOptions silo, string dataDirectory, TimeProvider clock)
    {
        if ((silo.Certificate.Length > 0) != (silo.CertificateKey.Length > 0))
        {
            throw new CoordinatorException("A silo's certificate and its key go together: give --silo-certificate and --silo-key.");
        }

        if (silo.IsPlain)
        {
            return silo.Certificate.Length == 0 ? null : throw new CoordinatorException("--plain-silos has silos speak without TLS, and --silo-certificate with it. Leave one out, on all silos the same.");
        }

        var (certificate, key) = silo.Certificate.Length > 0 ? (silo.Certificate, silo.CertificateKey) : ClusterCertificate.FilesIn(dataDirectory);
        if (silo.Certificate.Length > 0 || File.Exists(certificate))
        {
            return Opened(certificate, key, clock);
        }

        return silo.Connection.Length == 0 || IPAddress.IsLoopback(IPAddress.Parse(silo.Address)) ? null : throw new CoordinatorException(
            $"{silo.Address} can be reached from other machines, and whoever reaches the silos' port acts as one of them. Make a certificate for the cluster (fed pki silo) and give every silo the same "
            + $"by --silo-certificate and --silo-key, or as '{certificate}' and '{key}'; or say --plain-silos, if nobody else is in that network.");
    }

    public static void Use(ISiloBuilder builder, ClusterCertificate certificate) => builder.UseTls(options =>
    {
        options.LocalCertificate = certificate.Own;
        (options.RemoteCertificateMode, options.ClientCertificateMode) = (RemoteCertificateMode.RequireCertificate, RemoteCertificateMode.RequireCertificate);
        options.RemoteCertificateValidation = (offered, _, _) => certificate.IsSilo(offered);
        options.OnAuthenticateAsClient = (_, connection) => connection.TargetHost = "silo"; // Names mean nothing: the certificate itself is known.
    });

    private static ClusterCertificate Opened(string certificate, string key, TimeProvider clock)
    {
        try
        {
            return ClusterCertificate.Open(certificate, key, clock);
        }
        catch (IdentityException e)
        {
            throw new CoordinatorException(e.Message, e);
        }
    }
}
