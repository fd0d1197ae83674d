using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Federated.Protocol.Shuffling;

/// <summary>What a coordinator promises a shuffler of one report: that it was asked for, by whom of the run's clients, and for which batch.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Batch">Names the batch; tickets of one batch agree in everything down to <paramref name="ReportsPerClient"/>.</param>
/// <param name="Minimum">B_min: a smaller batch is dropped.</param>
/// <param name="Target">Reports at which the batch is sealed.</param>
/// <param name="WindowSeconds">After its first report so long, the batch is sealed, or dropped when it is too small.</param>
/// <param name="ReportBytes">Bytes of every report once its plaintext is padded; before sealing.</param>
/// <param name="Hops">Shufflers behind the first.</param>
/// <param name="ReportsPerClient">R, most reports of one client in a batch.</param>
/// <param name="Assignment">The assignment that the report answers.</param>
/// <param name="Client">The client's number in the run.</param>
/// <param name="Expires">Unix seconds from which on the ticket is void.</param>
public sealed record ShuffleTicket(
    string Run, string Batch, int Minimum, int Target, double WindowSeconds, int ReportBytes, int Hops, int ReportsPerClient, long Assignment, int Client, long Expires)
{
    /// <summary>Whether two tickets may be in one batch.</summary>
    public bool IsOfTheSameBatch(ShuffleTicket other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return this == other with { Assignment = Assignment, Client = Client, Expires = Expires };
    }

    /// <summary>Whether the numbers make sense, whoever wrote them.</summary>
    public bool IsSound => Run is { Length: > 0 and <= 64 } && Batch is { Length: > 0 and <= 64 } && Minimum >= 1 && Target >= Minimum && ReportsPerClient >= 1
        && WindowSeconds > 0 && WindowSeconds <= 366 * 86400.0 && ReportBytes > ReportEnvelope.LengthBytes && Hops is >= 0 and <= 8 && Assignment >= 0 && Client >= 0;
}

/// <summary>
/// Tickets under a key that coordinator and shuffler have in common without ever having sent it: only these two can make one, and the
/// shuffler makes none for itself that it could not let through anyway.
/// </summary>
/// <remarks>
/// HMAC-SHA256 over the claims, keyed by the agreement of the coordinator's and the shuffler's P-256 keys. A signature would cost a shuffler as
/// much again as opening the report; nobody but this shuffler has to be convinced (docs/decisions/0008).
/// </remarks>
public sealed class TicketKey(byte[] secret)
{
    /// <summary>The header of a report's request that <see cref="Prove"/> makes.</summary>
    public const string ProofHeader = "Federated-Ticket-Proof";

    /// <summary>The label of the key agreement.</summary>
    public static ReadOnlySpan<byte> Label => "federated shuffle ticket v1"u8;

    private static ReadOnlySpan<byte> ProofLabel => "federated shuffle proof v1"u8;

    /// <summary>The claims as JSON and their authenticator, both base64url, with a dot between.</summary>
    public string Issue(ShuffleTicket ticket)
    {
        var claims = JsonSerializer.SerializeToUtf8Bytes(ticket, ShufflingJson.Default.ShuffleTicket);
        return $"{Base64Url.EncodeToString(claims)}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, claims))}";
    }

    /// <summary>What whoever has a ticket shows before the envelope that holds it: the claims, and an authenticator made of the ticket's, from which the ticket cannot be made.</summary>
    /// <exception cref="FormatException">The text is no ticket.</exception>
    public static string Prove(string ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        var dot = ticket.IndexOf('.', StringComparison.Ordinal);
        return dot > 0
            ? $"{ticket[..dot]}.{Base64Url.EncodeToString(HMACSHA256.HashData(Base64Url.DecodeFromChars(ticket.AsSpan(dot + 1)), ProofLabel))}"
            : throw new FormatException("The text is no ticket: there is no dot in it.");
    }

    /// <returns>The claims and the one ticket that the envelope must hold; null when nobody who has a ticket of this key's made the proof.</returns>
    public (ShuffleTicket Claims, byte[] Ticket)? TryReadProof(string proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        var dot = proof.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || proof.Length > ReportEnvelope.TicketBytes || !Base64Url.IsValid(proof.AsSpan(0, dot)) || !Base64Url.IsValid(proof.AsSpan(dot + 1)))
        {
            return null;
        }

        var claims = Base64Url.DecodeFromChars(proof.AsSpan(0, dot));
        Span<byte> authenticator = stackalloc byte[HMACSHA256.HashSizeInBytes], shown = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, claims, authenticator);
        HMACSHA256.HashData(authenticator, ProofLabel, shown);
        if (!CryptographicOperations.FixedTimeEquals(shown, Base64Url.DecodeFromChars(proof.AsSpan(dot + 1))) || Parse(claims) is not { } ticket)
        {
            return null;
        }

        var text = new byte[dot + 1 + Base64Url.GetEncodedLength(authenticator.Length)];
        Encoding.ASCII.GetBytes(proof.AsSpan(0, dot + 1), text);
        Base64Url.EncodeToUtf8(authenticator, text.AsSpan(dot + 1));
        return (ticket, text);
    }

    /// <returns>Null when the ticket is not one of this key's.</returns>
    public ShuffleTicket? TryRead(ReadOnlySpan<byte> text)
    {
        var dot = text.IndexOf((byte)'.');
        if (dot < 0 || text.Length > ReportEnvelope.TicketBytes || !Base64Url.IsValid(text[..dot]) || !Base64Url.IsValid(text[(dot + 1)..]))
        {
            return null;
        }

        var claims = Base64Url.DecodeFromUtf8(text[..dot]);
        return CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, claims), Base64Url.DecodeFromUtf8(text[(dot + 1)..])) ? Parse(claims) : null;
    }

    public ShuffleTicket? TryRead(string text) => TryRead(Encoding.ASCII.GetBytes(text));

    private static ShuffleTicket? Parse(byte[] claims)
    {
        try
        {
            return JsonSerializer.Deserialize(claims, ShufflingJson.Default.ShuffleTicket) is { IsSound: true } ticket ? ticket : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ShuffleTicket))]
[JsonSerializable(typeof(BatchHeader))]
internal sealed partial class ShufflingJson : JsonSerializerContext;
