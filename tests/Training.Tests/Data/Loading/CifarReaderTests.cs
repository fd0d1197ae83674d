using System.Formats.Tar;
using System.IO.Compression;
using Federated.Training.Data.Loading;

namespace Federated.Training.Tests.Data.Loading;

public sealed class CifarReaderTests : IDisposable
{
    private const int Record = 3073;

    private static readonly string[] Files = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Two records per file: labels n and n + 1, every pixel of a record its label × 20, the last pixel 255.</summary>
    private static byte[] Content(int n)
    {
        var content = new byte[2 * Record];
        for (var r = 0; r < 2; r++)
        {
            content.AsSpan(r * Record, Record).Fill((byte)((n + r) * 20));
            content[r * Record] = (byte)(n + r);
            content[((r + 1) * Record) - 1] = 255;
        }

        return content;
    }

    private void WriteFiles(string under = "")
    {
        for (var i = 0; i < Files.Length; i++)
        {
            folder.Write(under + Files[i], Content(i));
        }
    }

    private void WriteArchive(int files = 6, int cut = 0)
    {
        using var content = new MemoryStream();
        using (var gzip = new GZipStream(content, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip))
        {
            for (var i = 0; i < files; i++)
            {
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "cifar-10-batches-bin/" + Files[i]) { DataStream = new MemoryStream(Content(i)) });
            }
        }

        folder.Write("cifar-10-binary.tar.gz", content.ToArray()[..^cut]);
    }

    [Theory]
    [InlineData("files")]
    [InlineData("subfolder")]
    [InlineData("archive")]
    public void Reads_unpacked_files_or_the_archive(string form)
    {
        switch (form)
        {
            case "files":
                WriteFiles();
                break;
            case "subfolder":
                WriteFiles("cifar-10-batches-bin/");
                break;
            default:
                WriteArchive();
                break;
        }

        var data = CifarReader.Read("toy", folder.Path);

        Assert.Equal([0, 1, 1, 2, 2, 3, 3, 4, 4, 5], data.Train.Labels);
        Assert.Equal([5, 6], data.Test.Labels);
        Assert.Equal([3, 32, 32], data.Train.ExampleShape.AsEnumerable());
        Assert.Equal(60 / 255f, data.Train.Row(5)[0]);
        Assert.Equal(1, data.Train.Row(5)[3071]);
    }

    [Fact]
    public void A_file_cut_short_is_refused()
    {
        WriteFiles();
        folder.Write(Files[3], Content(3)[..^1]);

        Assert.Contains("6145 bytes are not a whole number of 3073-byte records", Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_out_of_range_is_named_with_its_record()
    {
        WriteFiles();
        var content = Content(1);
        content[Record] = 10;
        folder.Write(Files[1], content);

        Assert.Contains("data_batch_2.bin: label 10 of record 1 (byte 3073) is out of range", Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        WriteFiles();
        File.Delete(folder.File(Files[2]));

        Assert.Contains("data_batch_3.bin: there is no such file", Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_without_all_files_is_refused()
    {
        WriteArchive(files: 4);

        Assert.Contains("ends without data_batch_5.bin, test_batch.bin", Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_cut_short_is_refused()
    {
        WriteArchive(cut: 120);

        Assert.Contains("cut short", Failure(), StringComparison.Ordinal);
    }

    private string Failure() => Assert.Throws<TrainingException>(() => CifarReader.Read("toy", folder.Path)).Message;
}
