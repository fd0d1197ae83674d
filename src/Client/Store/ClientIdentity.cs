using System.Security.Cryptography;

namespace Federated.Client.Store;

/// <summary>Who the client is: its key pair, and what enrolment gave it.</summary>
/// <param name="PrivateKey">P-256, PKCS #8. It never leaves the device.</param>
/// <param name="Client">The client's id; empty before enrolment has been answered.</param>
/// <param name="Coordinator">The coordinator's id.</param>
public sealed record ClientIdentity(byte[] PrivateKey, string Client, string Coordinator)
{
    public bool IsEnrolled => Client.Length > 0;

    /// <summary>A new key pair, not yet enrolled.</summary>
    public static ClientIdentity Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new ClientIdentity(key.ExportPkcs8PrivateKey(), "", "");
    }

    /// <summary>The key, to sign with; the caller disposes of it.</summary>
    public ECDsa OpenKey()
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(PrivateKey, out _);
        return key;
    }
}
