namespace Federated.Coordinator.Http;

/// <summary>SHA-256 digests as they travel.</summary>
internal static class Digests
{
    /// <summary>64 lower-case hexadecimal digits: nothing else ever becomes part of a path.</summary>
    public static bool IsDigest(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);
}
