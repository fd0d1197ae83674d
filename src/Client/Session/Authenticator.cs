using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>Enrols once, and exchanges signed assertions for access tokens whenever one is needed.</summary>
/// <remarks>
/// (1) The key pair is stored before the enrolment is sent, so that an answer that is lost can be asked for again with the same key.
/// (2) Assertions are dated by the coordinator's clock as far as it is known: a device's own may be years off.
/// </remarks>
internal sealed class Authenticator(ITransport transport, IClientStore store, string enrolmentToken, string name, TimeProvider clock)
{
    private const long AssertionSeconds = 120;

    /// <summary>A token is renewed when so many seconds, or a fifth of its life, are left.</summary>
    private const double Margin = 30;

    private DateTimeOffset renewAt = DateTimeOffset.MaxValue;

    /// <summary>Enrols if that has not been done; one attempt.</summary>
    /// <returns>The client's id; null where the transport proves it.</returns>
    public async Task<string?> EnrolAsync(CancellationToken cancellation)
    {
        if (transport.Authenticates)
        {
            return null;
        }

        if (store.Identity is { IsEnrolled: true } known)
        {
            return known.Client;
        }

        var identity = store.Identity;
        if (identity is null)
        {
            identity = ClientIdentity.Create();
            store.SaveIdentity(identity);
        }

        using var key = identity.OpenKey();
        var called = name.Length > 0 ? name : Environment.MachineName;
        var reply = await transport.EnrolAsync(
            new EnrolmentRequest(enrolmentToken, Base64Url.EncodeToString(key.ExportSubjectPublicKeyInfo()), called), cancellation);
        store.SaveIdentity(identity with { Client = reply.Client, Coordinator = reply.Coordinator });
        return reply.Client;
    }

    /// <summary>Makes sure that requests carry an access token that is good for a while.</summary>
    public async Task EnsureTokenAsync(CancellationToken cancellation)
    {
        if (transport.Authenticates || store.Identity is not { IsEnrolled: true } identity || (transport.AccessToken is not null && clock.GetUtcNow() < renewAt))
        {
            return;
        }

        var reply = await transport.GetTokenAsync(new TokenRequest(Assertion(identity)), cancellation);
        transport.AccessToken = reply.AccessToken;
        renewAt = clock.GetUtcNow() + TimeSpan.FromSeconds(Math.Max(reply.SecondsLeft - Margin, reply.SecondsLeft * 0.8));
    }

    /// <summary>The token is good no longer.</summary>
    public void Forget() => transport.AccessToken = null;

    /// <summary>A JWT as RFC 7519 and docs/protocol.md say, signed by ES256 (RFC 7518, section 3.4: r and s, 32 bytes each).</summary>
    private string Assertion(ClientIdentity identity)
    {
        var now = (clock.GetUtcNow() + transport.ClockSkew).ToUnixTimeSeconds();
        var header = Encoded(json =>
        {
            json.WriteString("alg", "ES256");
            json.WriteString("typ", "JWT");
            json.WriteString("kid", identity.Client);
        });
        var claims = Encoded(json =>
        {
            json.WriteString("iss", identity.Client);
            json.WriteString("sub", identity.Client);
            json.WriteString("aud", identity.Coordinator);
            json.WriteNumber("iat", now);
            json.WriteNumber("exp", now + AssertionSeconds);
            json.WriteString("jti", Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
        });
        using var key = identity.OpenKey();
        var signed = $"{header}.{claims}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Encoded(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Base64Url.EncodeToString(bytes.WrittenSpan);
    }
}
