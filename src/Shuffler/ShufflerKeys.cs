using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Privacy;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;

namespace Federated.Shuffler;

/// <summary>A shuffler's own secrets: what reports are sealed to, and what its batches are signed with. They never leave its operator.</summary>
public sealed class ShufflerKeys : IDisposable
{
    private ShufflerKeys(HpkePrivateKey sealing, ECDsa signing) => (Sealing, Signing) = (sealing, signing);

    public HpkePrivateKey Sealing { get; }

    public ECDsa Signing { get; }

    /// <summary>P-256 point, uncompressed, base64url.</summary>
    public string SealingKey => Base64Url.EncodeToString(Sealing.Point);

    /// <summary>SubjectPublicKeyInfo, DER, base64url.</summary>
    public string SigningKey => Base64Url.EncodeToString(Signing.ExportSubjectPublicKeyInfo());

    public static ShufflerKeys Generate() => new(HpkePrivateKey.Generate(), ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Opens the keys in a folder; makes them the first time.</summary>
    /// <exception cref="ShufflerException">The file is damaged.</exception>
    public static ShufflerKeys OpenOrCreate(string folder)
    {
        var path = Path.Combine(folder, "keys.json");
        if (!File.Exists(path))
        {
            var made = Generate();
            var stored = new Stored(Convert.ToBase64String(made.Sealing.Export()), Convert.ToBase64String(made.Signing.ExportPkcs8PrivateKey()));
            Write(path, JsonSerializer.SerializeToUtf8Bytes(stored, KeysJson.Default.Stored));
            return made;
        }

        try
        {
            var stored = JsonSerializer.Deserialize(File.ReadAllBytes(path), KeysJson.Default.Stored)!;
            var signing = ECDsa.Create();
            signing.ImportPkcs8PrivateKey(Convert.FromBase64String(stored.Signing), out _);
            return new ShufflerKeys(HpkePrivateKey.Import(Convert.FromBase64String(stored.Sealing)), signing);
        }
        catch (Exception e) when (e is JsonException or CryptographicException or FormatException or PrivacyException)
        {
            throw new ShufflerException($"The keys in {path} are damaged: {e.Message} Restore the file; with new keys the shuffler would have to be registered anew.", e);
        }
    }

    /// <summary>The key of tickets that a coordinator writes for this shuffler.</summary>
    /// <param name="coordinator">The coordinator's ticket key: P-256 point, uncompressed, base64url.</param>
    /// <exception cref="ShufflerException">It is no key.</exception>
    public TicketKey TicketsOf(string coordinator)
    {
        if (!Base64Url.IsValid(coordinator) || HpkePublicKey.TryRead(Base64Url.DecodeFromChars(coordinator)) is not { } key)
        {
            throw new ShufflerException($"'{coordinator}' is no ticket key of a coordinator: fed shufflers keys prints it.");
        }

        using (key)
        {
            return new TicketKey(Sealing.Agree(key, TicketKey.Label));
        }
    }

    public void Dispose()
    {
        Sealing.Dispose();
        Signing.Dispose();
    }

    private static void Write(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(path + ".new", options))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".new", path, overwrite: true);
    }

    internal sealed record Stored(string Sealing, string Signing);
}

[JsonSerializable(typeof(ShufflerKeys.Stored))]
internal sealed partial class KeysJson : JsonSerializerContext;
