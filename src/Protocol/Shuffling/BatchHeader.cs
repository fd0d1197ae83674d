using System.Security.Cryptography;
using System.Text.Json;

namespace Federated.Protocol.Shuffling;

/// <summary>
/// All that a shuffler says of a batch; behind it, in the same body, come the reports in permuted order. Nothing here says which report is whose:
/// assignments are in ascending order, whatever the order of the reports.
/// </summary>
/// <remarks>
/// <code>
/// body = header length (4 bytes, little-endian) | header (JSON) | Reports × ReportBytes bytes
/// Federated-Signature: base64url of the ES256 signature, r | s, over "federated shuffle batch v1" LF header
/// </code>
/// The signature covers the reports through their digest, so that a body is known to be the shuffler's before it is read.
/// </remarks>
/// <param name="Run">The run's id.</param>
/// <param name="Batch">The batch's name, as its tickets say.</param>
/// <param name="Id">Names this batch for good: it counts once under it, however often it is sent. 1 to 64 lower-case hex digits.</param>
/// <param name="Assignments">In ascending order.</param>
/// <param name="Clients">The clients' numbers in the run, by assignment.</param>
/// <param name="Reports">How many reports follow: as many as assignments, or none when the batch was dropped.</param>
/// <param name="ReportBytes">Bytes of each.</param>
/// <param name="Sha256">Of the reports as they follow, lower-case hex.</param>
/// <param name="Dropped">The batch was too small when its window ended: its reports were erased and its assignments are open for nothing.</param>
public sealed record BatchHeader(
    string Run, string Batch, string Id, IReadOnlyList<long> Assignments, IReadOnlyList<int> Clients, int Reports, int ReportBytes, string Sha256, bool Dropped)
{
    public const string ContentType = "application/vnd.federated.batch";

    /// <summary>Names the shuffler that signed.</summary>
    public const string ShufflerHeader = "Federated-Shuffler";

    public const string SignatureHeader = "Federated-Signature";

    /// <summary>Longest header that is read.</summary>
    public const int MaxLength = 64 << 20;

    private static ReadOnlySpan<byte> Domain => "federated shuffle batch v1\n"u8;

    /// <summary>Bytes of the whole body.</summary>
    public long BodyBytes(int headerLength) => 4L + headerLength + ((long)Reports * ReportBytes);

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ShufflingJson.Default.BatchHeader);

    /// <returns>Null when the bytes are no header, or one that contradicts itself.</returns>
    public static BatchHeader? TryDecode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, ShufflingJson.Default.BatchHeader) is { } header && header.IsSound() ? header : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static byte[] Sign(ReadOnlySpan<byte> header, ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.SignData([.. Domain, .. header], HashAlgorithmName.SHA256);
    }

    public static bool Verify(ReadOnlySpan<byte> header, ReadOnlySpan<byte> signature, ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.VerifyData([.. Domain, .. header], signature, HashAlgorithmName.SHA256);
    }

    private bool IsSound()
    {
        for (var i = 1; i < Assignments.Count; i++)
        {
            if (Assignments[i] <= Assignments[i - 1])
            {
                return false;
            }
        }

        return Assignments.Count > 0 && Assignments[0] >= 0 && Clients.Count == Assignments.Count && Clients.All(c => c >= 0)
            && Id.Length is > 0 and <= 64 && Id.All(char.IsAsciiHexDigitLower)
            && Reports == (Dropped ? 0 : Assignments.Count) && ReportBytes > 0;
    }
}
