namespace Federated.Coordinator.Orleans.Identity;

/// <summary>Which share of the identities an id belongs to. Never changed: what is stored says so too.</summary>
internal static class Shares
{
    /// <summary>Shares: each a grain with a log of its own, so that silos divide the work and no one log is everybody's.</summary>
    public const int Count = 32;

    /// <summary>The share of a client.</summary>
    public static int OfClient(string client) => Of(client);

    /// <summary>The share of a token, by its digest or its id: the id ends in the digest's beginning.</summary>
    public static int OfToken(ReadOnlySpan<char> digestOrId) => Of(digestOrId.Length > 1 && digestOrId[1] == '-' ? digestOrId[2..14] : digestOrId[..12]);

    /// <summary>Whether an id has the form of a token's.</summary>
    public static bool IsTokenId(string id) => id is [('t' or 'e'), '-', ..] and { Length: 14 } && id.Skip(2).All(char.IsAsciiHexDigitLower);

    /// <summary>FNV-1a over the characters.</summary>
    private static int Of(ReadOnlySpan<char> text)
    {
        var hash = 2166136261u;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 16777619u;
        }

        return (int)((hash ^ (hash >> 16)) % Count);
    }
}
