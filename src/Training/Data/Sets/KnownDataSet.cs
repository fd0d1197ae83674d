using System.Collections.Immutable;

namespace Federated.Training.Data.Sets;

/// <summary>A data set that a name is enough for: what it is, where it comes from, which files it needs, and how to load it.</summary>
/// <param name="Name">What configuration calls it.</param>
/// <param name="Description">One line: what, how much, how it is split.</param>
/// <param name="Licence">What its owners allow.</param>
/// <param name="Source">The page to read and cite.</param>
/// <param name="Files">Empty for a set that is generated.</param>
/// <param name="Loader">Loads it from its folder with the seed that generators and hold-outs draw from.</param>
public sealed record KnownDataSet(
    string Name,
    string Description,
    string Licence,
    string Source,
    ImmutableArray<KnownFile> Files,
    Func<string, ulong, FederatedData> Loader)
{
    /// <value>The folder of its files in the data folder; sets that come in one archive share one. The default is the name.</value>
    public string FolderName { get; init; } = Name;

    public bool IsGenerated => Files.IsEmpty;

    /// <summary>Bytes to download.</summary>
    public long Bytes => Files.Sum(file => file.Bytes);

    /// <summary>The set's folder within the data folder.</summary>
    public string Folder(string dataDirectory) => Path.Combine(dataDirectory, FolderName);

    /// <summary>The files that are not in the data folder, in no form that is read.</summary>
    public IReadOnlyList<KnownFile> Missing(string dataDirectory) => [.. Files.Where(file => !file.IsIn(Folder(dataDirectory)))];

    /// <summary>Loads the set; without clients where it has no split of its own.</summary>
    /// <exception cref="TrainingException">Files are missing or not as they must be.</exception>
    public FederatedData Load(string dataDirectory, ulong seed)
    {
        var missing = Missing(dataDirectory);
        return missing.Count == 0
            ? Loader(Folder(dataDirectory), seed)
            : throw new TrainingException(
                $"Data set '{Name}' needs {string.Join(", ", missing.Select(file => file.Name))} in {Path.GetFullPath(Folder(dataDirectory))}; there is no such file. "
                + $"Run 'fed data get {Name}', or give the folder that holds '{FolderName}' with --data-dir.");
    }
}

/// <summary>A file of a known set as its owners publish it.</summary>
/// <param name="Name">The file's name in the set's folder.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its SHA-256, in lower-case hexadecimal.</param>
/// <param name="Alternatives">Other names under which its content is read: unpacked, for example.</param>
/// <param name="Addresses">Where it is downloaded from, the first that answers.</param>
public sealed record KnownFile(string Name, long Bytes, string Sha256, ImmutableArray<string> Alternatives, ImmutableArray<Uri> Addresses)
{
    /// <summary>Whether the folder holds the file, or its content under another name.</summary>
    public bool IsIn(string folder) =>
        File.Exists(Path.Combine(folder, Name)) || Alternatives.Any(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>The path under which the folder holds the file; an unpacked one is preferred.</summary>
    public string In(string folder) =>
        Alternatives.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) ?? Path.Combine(folder, Name);
}
