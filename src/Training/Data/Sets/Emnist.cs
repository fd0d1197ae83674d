using Federated.Training.Data.Loading;

namespace Federated.Training.Data.Sets;

/// <summary>Reads EMNIST, all parts of which come in one archive of gzip IDX files.</summary>
/// <remarks>
/// Cohen, Afshar, Tapson, van Schaik, "EMNIST: an extension of MNIST to handwritten letters", 2017, https://arxiv.org/abs/1702.05373.
/// The archive's images are transposed; they are turned upright here.
/// </remarks>
internal static class Emnist
{
    public const string Archive = "gzip.zip";

    /// <summary>Reads a part, from the archive or from its unpacked files.</summary>
    /// <param name="part">balanced, byclass, digits, …</param>
    public static FederatedData Load(string name, string part, string folder, int classes) => new(
        Read(name, folder, $"emnist-{part}-train", classes),
        Read(name, folder, $"emnist-{part}-test", classes),
        []);

    private static DataSet Read(string name, string folder, string split, int classes)
    {
        using var images = Open(folder, $"{split}-images-idx3-ubyte.gz");
        using var labels = Open(folder, $"{split}-labels-idx1-ubyte.gz");
        var set = IdxReader.ReadDataSet(name, images, labels, classes);
        var (height, width) = (set.ExampleShape[1], set.ExampleShape[2]);
        if (height != width)
        {
            throw new TrainingException($"{images.Path}: EMNIST's images are square; these are {height}×{width}.");
        }

        for (var i = 0; i < set.Count; i++)
        {
            var image = set.Features.AsSpan(i * set.FeatureCount, set.FeatureCount);
            for (var y = 0; y < height; y++)
            {
                for (var x = y + 1; x < width; x++)
                {
                    (image[(y * width) + x], image[(x * width) + y]) = (image[(x * width) + y], image[(y * width) + x]);
                }
            }
        }

        return set;
    }

    private static BinaryFile Open(string folder, string file)
    {
        var unpacked = Path.Combine(folder, file);
        return File.Exists(unpacked) ? BinaryFile.Open(unpacked) : BinaryFile.OpenInZip(Path.Combine(folder, Archive), file);
    }
}
