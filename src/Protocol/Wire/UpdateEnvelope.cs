using System.Buffers.Binary;
using System.Text.Json;

namespace Federated.Protocol.Wire;

/// <summary>
/// A small update in one request: <c>[length of JSON, u32 little-endian | declaration as JSON | delta bytes | extras' bytes]</c>, the extras
/// in the declaration's order, with content type <see cref="ContentType"/>. Saves the two further requests that a resumable upload takes.
/// </summary>
public static class UpdateEnvelope
{
    public const string ContentType = "application/vnd.federated.update";

    /// <summary>Largest envelope; bigger updates go by resumable upload.</summary>
    public const int MaxLength = 4 << 20;

    /// <summary>Largest declaration inside one.</summary>
    public const int MaxDeclaration = 64 << 10;

    /// <param name="parts">The delta's bytes, then the extras', in the declaration's order.</param>
    public static byte[] Encode(UpdateDeclaration declaration, params IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var json = JsonSerializer.SerializeToUtf8Bytes(declaration, WireJson.Default.UpdateDeclaration);
        var envelope = new byte[4 + json.Length + parts.Sum(part => part.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(envelope, json.Length);
        json.CopyTo(envelope, 4);
        var at = 4 + json.Length;
        foreach (var part in parts)
        {
            part.Span.CopyTo(envelope.AsSpan(at));
            at += part.Length;
        }

        return envelope;
    }

    /// <summary>Takes an envelope apart.</summary>
    /// <returns>Null, with a sentence in <paramref name="error"/>, when it is not one.</returns>
    public static UpdateDeclaration? Decode(ReadOnlyMemory<byte> envelope, out ReadOnlyMemory<byte> delta, out string error)
    {
        (delta, error) = (default, "");
        if (envelope.Length < 4)
        {
            error = $"An update envelope begins with 4 bytes of length; there are {envelope.Length}.";
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(envelope.Span);
        if (length is < 2 or > MaxDeclaration || length > envelope.Length - 4)
        {
            error = $"The declaration is said to be {length} bytes long; it must be 2 to {MaxDeclaration} and fit in the {envelope.Length - 4} that follow.";
            return null;
        }

        try
        {
            var declaration = JsonSerializer.Deserialize(envelope.Span.Slice(4, length), WireJson.Default.UpdateDeclaration);
            delta = envelope[(4 + length)..];
            error = declaration is null ? "The declaration is null; an object is needed." : "";
            return declaration;
        }
        catch (JsonException e)
        {
            error = $"The declaration is not as docs/protocol.md says: {e.Message}";
            return null;
        }
    }
}
