using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Federated.Cli.Clients;

/// <summary>Certificates from PEM files.</summary>
internal static class Pem
{
    public static X509Certificate2Collection Roots(string path)
    {
        Exists(path);
        try
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(path);
            return roots.Count > 0 ? roots : throw new CommandException(ExitCodes.Usage, $"{path} holds no certificate; a PEM file is needed.");
        }
        catch (CryptographicException e)
        {
            throw new CommandException(ExitCodes.Usage, $"{path} cannot be read as certificates: {e.Message}");
        }
    }

    public static X509Certificate2 Certificate(string path, string? key)
    {
        Exists(path);
        Exists(key ?? path);
        try
        {
            // By way of PKCS #12: a key straight from PEM is not one that TLS takes on every platform.
            using var certificate = X509Certificate2.CreateFromPemFile(path, key);
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        }
        catch (CryptographicException e)
        {
            throw new CommandException(ExitCodes.Usage, $"{path}{(key is null ? "" : $" and {key}")} cannot be read as a certificate and its key: {e.Message}");
        }
    }

    private static void Exists(string path)
    {
        if (!File.Exists(path))
        {
            throw new CommandException(ExitCodes.Usage, $"There is no file {Path.GetFullPath(path)}; a PEM file is needed.");
        }
    }
}
