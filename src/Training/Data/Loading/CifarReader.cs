using System.Formats.Tar;
using System.IO.Compression;

namespace Federated.Training.Data.Loading;

/// <summary>Reads CIFAR-10's binary version, from its unpacked files or from the archive as it is downloaded.</summary>
/// <remarks>
/// Format: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version": records of one label byte and 3 × 32 × 32 pixel bytes, channel by
/// channel, row by row. Five files of training records, one of test records. Pixels are scaled to [0, 1].
/// </remarks>
public static class CifarReader
{
    private const int Pixels = 3 * 32 * 32;
    private const int Record = 1 + Pixels;
    private const int Classes = 10;

    private static readonly string[] TrainFiles = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
    private static readonly string[] TestFiles = ["test_batch.bin"];

    /// <summary>Reads training and test set, without clients, from a folder that holds cifar-10-binary.tar.gz, or the .bin files in it or in cifar-10-batches-bin.</summary>
    public static FederatedData Read(string name, string folder)
    {
        var archive = Path.Combine(folder, "cifar-10-binary.tar.gz");
        var unpacked = Path.Combine(folder, "cifar-10-batches-bin");
        unpacked = Directory.Exists(unpacked) ? unpacked : folder;
        var files = File.Exists(archive) && !File.Exists(Path.Combine(unpacked, TestFiles[0]))
            ? FromArchive(archive)
            : TrainFiles.Concat(TestFiles).ToDictionary(file => file, file => ReadAll(Path.Combine(unpacked, file)));
        return new FederatedData(ToDataSet(name, files, TrainFiles), ToDataSet(name, files, TestFiles), []);
    }

    /// <summary>Whole records of one file.</summary>
    /// <param name="path">For messages.</param>
    internal static void CheckRecords(string path, byte[] content)
    {
        if (content.Length == 0 || content.Length % Record != 0)
        {
            throw new TrainingException($"{path}: {content.Length} bytes are not a whole number of {Record}-byte records; the file is cut short or not CIFAR-10's binary version.");
        }

        for (var at = 0; at < content.Length; at += Record)
        {
            if (content[at] >= Classes)
            {
                throw new TrainingException($"{path}: label {content[at]} of record {at / Record} (byte {at}) is out of range; labels must be in 0..{Classes - 1}.");
            }
        }
    }

    private static byte[] ReadAll(string path)
    {
        using var file = BinaryFile.Open(path);
        file.RequireCapacity((UInt128)file.Length, "its records");
        var content = new byte[file.Length];
        file.ReadExactly(content, "its records");
        CheckRecords(path, content);
        return content;
    }

    private static Dictionary<string, byte[]> FromArchive(string path)
    {
        const int LongestFile = 64 << 20;
        var wanted = TrainFiles.Concat(TestFiles).ToHashSet();
        var files = new Dictionary<string, byte[]>();
        try
        {
            using var gzip = new GZipStream(DataFiles.OpenRead(path), CompressionMode.Decompress);
            using var tar = new TarReader(gzip);
            while (files.Count < wanted.Count && tar.GetNextEntry() is { } entry)
            {
                var file = Path.GetFileName(entry.Name);
                if (!wanted.Contains(file) || entry.DataStream is null)
                {
                    continue;
                }

                if (entry.Length > LongestFile)
                {
                    throw new TrainingException($"{path}: {entry.Name} claims {entry.Length} bytes; at most {LongestFile} are read.");
                }

                var content = new byte[entry.Length];
                entry.DataStream.ReadExactly(content);
                CheckRecords($"{path}, {entry.Name}", content);
                files[file] = content;
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new TrainingException($"{path}: the archive is damaged or cut short ({e.Message}) Get the file again.", e);
        }

        return files.Count == wanted.Count
            ? files
            : throw new TrainingException($"{path}: the archive ends without {string.Join(", ", wanted.Except(files.Keys))}; it is cut short or another archive.");
    }

    private static DataSet ToDataSet(string name, Dictionary<string, byte[]> files, string[] names)
    {
        var count = names.Sum(file => files[file].Length / Record);
        var features = new float[count * Pixels];
        var labels = new int[count];
        var i = 0;
        foreach (var file in names)
        {
            for (var at = 0; at < files[file].Length; at += Record, i++)
            {
                labels[i] = files[file][at];
                GreyLevels.ToUnit(files[file].AsSpan(at + 1, Pixels), features.AsSpan(i * Pixels));
            }
        }

        return new DataSet(name, features, labels, [3, 32, 32], Classes);
    }
}
