using Federated.Training.Data.Generators;
using Federated.Training.Data.Loading;

namespace Federated.Training.Data.Sets;

/// <summary>The data sets that a name is enough for.</summary>
public static class KnownDataSets
{
    public const string Mnist = "mnist";

    /// <summary>All names, for messages.</summary>
    public static string Names => string.Join(", ", Mnist, DrawnDigits.Name);

    /// <summary>Loads the set; without clients where it has no split of its own.</summary>
    /// <param name="dataDirectory">Holds a folder per set, named like the set.</param>
    public static FederatedData Load(string name, string dataDirectory, ulong seed) => name switch
    {
        Mnist => Idx(name, Path.Combine(dataDirectory, name)),
        DrawnDigits.Name => DrawnDigits.Generate(new DrawnDigitsOptions(), seed),
        _ => throw new TrainingException($"There is no data set '{name}'; known are {Names}."),
    };

    private static FederatedData Idx(string name, string folder) => new(
        IdxReader.ReadDataSet(name, Find(folder, "train-images-idx3-ubyte"), Find(folder, "train-labels-idx1-ubyte"), 10),
        IdxReader.ReadDataSet(name, Find(folder, "t10k-images-idx3-ubyte"), Find(folder, "t10k-labels-idx1-ubyte"), 10),
        []);

    private static string Find(string folder, string file)
    {
        var plain = Path.Combine(folder, file);
        return File.Exists(plain) ? plain : plain + ".gz";
    }
}
