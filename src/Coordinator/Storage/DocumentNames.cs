namespace Federated.Coordinator.Storage;

/// <summary>What documents, and runs among them, may be called: nothing that a file system or a database could take for more than a name.</summary>
internal static class DocumentNames
{
    private const int Longest = 200;

    /// <exception cref="StorageException">The name is none.</exception>
    public static void Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var isFine = name.Length is > 0 and <= Longest
            && name.Split('/').All(part => part.Length > 0 && (char.IsAsciiLetterLower(part[0]) || char.IsAsciiDigit(part[0]))
                && part.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.'));
        if (!isFine)
        {
            throw new StorageException($"'{name}' is not a name for a document; lower-case letters, digits, dots and hyphens are, in folders separated by '/'.");
        }
    }
}
