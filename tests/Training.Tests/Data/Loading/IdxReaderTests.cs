using System.Buffers.Binary;
using System.IO.Compression;
using Federated.Training.Data.Loading;

namespace Federated.Training.Tests.Data.Loading;

public sealed class IdxReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    internal static byte[] Idx(byte type, int[] extents, byte[] content)
    {
        var file = new byte[4 + (4 * extents.Length) + content.Length];
        (file[2], file[3]) = (type, (byte)extents.Length);
        for (var i = 0; i < extents.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + (4 * i)), extents[i]);
        }

        content.CopyTo(file, 4 + (4 * extents.Length));
        return file;
    }

    internal static byte[] Gzip(byte[] content)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal))
        {
            gzip.Write(content);
        }

        return target.ToArray();
    }

    // Three images of 2×2 whose pixels do not compress to nothing.
    private static readonly byte[] Pixels = [0, 255, 51, 102, 1, 2, 3, 4, 250, 251, 252, 253];
    private static readonly byte[] ThreeImages = Idx(8, [3, 2, 2], Pixels);
    private static readonly byte[] ThreeLabels = Idx(8, [3], [0, 2, 1]);

    private string FailureOf(Action action) => Assert.Throws<TrainingException>(action).Message;

    public sealed class WhenTheFilesAreSound : IDisposable
    {
        private readonly TemporaryFolder folder = new();

        public void Dispose() => folder.Dispose();

        [Theory]
        [InlineData(false)]
        [InlineData(true)]
        public void Reads_pixels_scaled_to_one_and_labels(bool gzip)
        {
            var images = folder.Write("images", gzip ? Gzip(ThreeImages) : ThreeImages);
            var labels = folder.Write("labels", gzip ? Gzip(ThreeLabels) : ThreeLabels);

            var set = IdxReader.ReadDataSet("tiny", images, labels, classes: 3);

            Assert.Equal([1, 2, 2], set.ExampleShape.AsEnumerable());
            Assert.Equal([0, 2, 1], set.Labels);
            Assert.Equal(Pixels.Select(p => p / 255f), set.Features);
        }

        [Fact]
        public void Reads_across_buffer_boundaries()
        {
            var pixels = Enumerable.Range(0, 100 * 40 * 40).Select(i => (byte)(i * 7 % 256)).ToArray();
            var path = folder.Write("images.gz", Gzip(Idx(8, [100, 40, 40], pixels)));

            var (read, _) = IdxReader.ReadImages(path);

            Assert.Equal(pixels.Select(p => p / 255f), read);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(15)]
    public void A_gzip_file_cut_short_is_refused_wherever_it_is_cut(int missing)
    {
        var whole = Gzip(ThreeImages);
        var path = folder.Write("cut.gz", whole[..^missing]);

        Assert.Contains("cut short", FailureOf(() => IdxReader.ReadImages(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gzip_file_with_a_flipped_bit_is_refused()
    {
        var damaged = Gzip(ThreeImages);
        damaged[^7] ^= 1;
        var path = folder.Write("damaged.gz", damaged);

        Assert.Contains("damaged", FailureOf(() => IdxReader.ReadImages(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plain_file_cut_short_is_refused_with_what_was_needed_and_there()
    {
        var path = folder.Write("cut", ThreeImages[..^1]);

        var message = FailureOf(() => IdxReader.ReadImages(path));

        Assert.Contains("need 12 bytes after offset 16", message, StringComparison.Ordinal);
        Assert.Contains("can hold at most 11", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_header_that_claims_more_than_the_file_can_hold_is_refused_before_anything_is_allocated(bool gzip)
    {
        var lying = Idx(8, [int.MaxValue, int.MaxValue, int.MaxValue], Pixels);
        var path = folder.Write("lying", gzip ? Gzip(lying) : lying);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Contains("header claims", FailureOf(() => IdxReader.ReadImages(path)), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Content_beyond_the_header_s_count_is_refused(bool gzip)
    {
        var longer = Idx(8, [3, 2, 2], [.. Pixels, 9]);
        var path = folder.Write("longer", gzip ? Gzip(longer) : longer);

        Assert.Contains("goes on", FailureOf(() => IdxReader.ReadImages(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_magic_number_is_refused()
    {
        var path = folder.Write("text", "not an IDX file at all");

        Assert.Contains("begins with 00 00, this one with 6E 6F", FailureOf(() => IdxReader.ReadImages(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_element_type_is_refused() =>
        Assert.Contains(
            "element type 0x0D",
            FailureOf(() => IdxReader.ReadImages(folder.Write("floats", Idx(0x0D, [1, 1, 1], [0, 0, 0, 0])))),
            StringComparison.Ordinal);

    [Fact]
    public void Swapped_files_are_recognised() =>
        Assert.Contains(
            "swapped",
            FailureOf(() => IdxReader.ReadLabels(folder.Write("images", ThreeImages), 3)),
            StringComparison.Ordinal);

    [Fact]
    public void No_images_at_all_is_an_error() =>
        Assert.Contains("extent 0 is 0", FailureOf(() => IdxReader.ReadLabels(folder.Write("none", Idx(8, [0], [])), 3)), StringComparison.Ordinal);

    [Fact]
    public void A_label_out_of_range_is_named_with_its_example_and_offset()
    {
        var path = folder.Write("labels", ThreeLabels);

        var message = FailureOf(() => IdxReader.ReadLabels(path, classes: 2));

        Assert.Contains("label 2 of example 1 (byte 9) is out of range; labels must be in 0..1", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_and_labels_of_different_counts_are_refused()
    {
        var images = folder.Write("images", ThreeImages);
        var labels = folder.Write("labels", Idx(8, [2], [0, 1]));

        Assert.Contains("3 images", FailureOf(() => IdxReader.ReadDataSet("x", images, labels, 3)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_an_error_that_says_what_to_do() =>
        Assert.Contains("no such file", FailureOf(() => IdxReader.ReadLabels(folder.File("absent"), 3)), StringComparison.Ordinal);

    [Fact]
    public void An_empty_file_is_an_error() =>
        Assert.Contains("ends at byte 0", FailureOf(() => IdxReader.ReadLabels(folder.Write("empty", ""), 3)), StringComparison.Ordinal);
}
