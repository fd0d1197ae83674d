namespace Federated.Coordinator.Identity;

/// <summary>Ids of runs and clients: lower-case letters, digits and hyphens, 1 to 63 of them, not beginning with a hyphen. Nothing that a path could be made of.</summary>
public static class Identifier
{
    public const int MaxLength = 63;

    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxLength || text[0] == '-')
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The nearest id to a name that people gave; empty when nothing of it is left.</summary>
    public static string From(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var kept = new string([.. name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Trim('-');
        return kept.Length > MaxLength ? kept[..MaxLength].TrimEnd('-') : kept;
    }
}
