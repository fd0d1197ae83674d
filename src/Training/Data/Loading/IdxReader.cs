using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Federated.Training.Data.Loading;

/// <summary>
/// Reads the IDX files of the MNIST family, plain or gzip: a big-endian header (two zero bytes, element type, number of dimensions,
/// one 32-bit extent each) and the elements in row-major order.
/// </summary>
/// <remarks>
/// Format: http://yann.lecun.com/exdb/mnist/, section "The IDX file format"; only unsigned bytes (type 0x08) occur in the family, other
/// types are refused by name. The file streams through a small buffer; what a header claims is compared with what the file can hold
/// before anything of that size is allocated.
/// Cost: O(elements) time, the result plus 64 KiB memory.
/// </remarks>
public static class IdxReader
{
    private const int BufferSize = 64 * 1024;
    private const byte UnsignedByte = 0x08;

    /// <summary>Reads images and labels that belong together as one data set with pixels scaled to [0, 1].</summary>
    /// <param name="imagesPath">An IDX file of three dimensions: count, height, width.</param>
    /// <param name="labelsPath">An IDX file of one dimension: count.</param>
    public static DataSet ReadDataSet(string name, string imagesPath, string labelsPath, int classes)
    {
        using var images = BinaryFile.Open(imagesPath);
        using var labels = BinaryFile.Open(labelsPath);
        return ReadDataSet(name, images, labels, classes);
    }

    /// <summary>The same from open files.</summary>
    internal static DataSet ReadDataSet(string name, BinaryFile imagesFile, BinaryFile labelsFile, int classes)
    {
        var (pixels, shape) = ReadImages(imagesFile);
        var labels = ReadLabels(labelsFile, classes);
        return pixels.LongLength == (long)labels.Length * shape[1] * shape[2]
            ? new DataSet(name, pixels, labels, shape, classes)
            : throw new TrainingException(
                $"{imagesFile.Path} holds {pixels.LongLength / ((long)shape[1] * shape[2])} images, but {labelsFile.Path} holds {labels.Length} labels; they must be the pair that belongs together.");
    }

    /// <summary>Pixels of all images scaled to [0, 1], row-major, and the shape of one image (1 × height × width).</summary>
    public static (float[] Pixels, ImmutableArray<int> Shape) ReadImages(string path)
    {
        using var file = BinaryFile.Open(path);
        return ReadImages(file);
    }

    /// <summary>One label per example, each checked to be in [0, <paramref name="classes"/>).</summary>
    public static int[] ReadLabels(string path, int classes)
    {
        using var file = BinaryFile.Open(path);
        return ReadLabels(file, classes);
    }

    private static (float[] Pixels, ImmutableArray<int> Shape) ReadImages(BinaryFile file)
    {
        var extents = ReadHeader(file, dimensions: 3, "images");
        var pixels = new float[Elements(file, extents)];
        var buffer = new byte[BufferSize];
        for (var done = 0; done < pixels.Length;)
        {
            var chunk = buffer.AsSpan(0, Math.Min(buffer.Length, pixels.Length - done));
            file.ReadExactly(chunk, $"pixel bytes of {extents[0]} images of {extents[1]}×{extents[2]}");
            GreyLevels.ToUnit(chunk, pixels.AsSpan(done));
            done += chunk.Length;
        }

        file.ExpectEnd($"{extents[0]} images of {extents[1]}×{extents[2]}");
        return (pixels, [1, extents[1], extents[2]]);
    }

    private static int[] ReadLabels(BinaryFile file, int classes)
    {
        var extents = ReadHeader(file, dimensions: 1, "labels");
        var labels = new int[Elements(file, extents)];
        var buffer = new byte[BufferSize];
        for (var done = 0; done < labels.Length;)
        {
            var chunk = buffer.AsSpan(0, Math.Min(buffer.Length, labels.Length - done));
            file.ReadExactly(chunk, $"{extents[0]} labels");
            for (var i = 0; i < chunk.Length; i++)
            {
                if (chunk[i] >= classes)
                {
                    throw new TrainingException(
                        $"{file.Path}: label {chunk[i]} of example {done + i} (byte {file.Position - chunk.Length + i}) is out of range; labels must be in 0..{classes - 1}.");
                }

                labels[done + i] = chunk[i];
            }

            done += chunk.Length;
        }

        file.ExpectEnd($"{extents[0]} labels");
        return labels;
    }

    private static int[] ReadHeader(BinaryFile file, int dimensions, string what)
    {
        Span<byte> magic = stackalloc byte[4];
        file.ReadExactly(magic, "the IDX magic number");
        if (magic[0] != 0 || magic[1] != 0)
        {
            throw new TrainingException(
                $"{file.Path}: not an IDX file; an IDX file begins with 00 00, this one with {magic[0]:X2} {magic[1]:X2} (offset 0).");
        }

        if (magic[2] != UnsignedByte)
        {
            throw new TrainingException(
                $"{file.Path}: element type 0x{magic[2]:X2} at offset 2; only unsigned bytes (0x08) are read.");
        }

        if (magic[3] != dimensions)
        {
            throw new TrainingException(
                $"{file.Path}: {magic[3]} dimensions at offset 3; {what} need {dimensions}. Are the images and labels files swapped?");
        }

        var extents = new int[dimensions];
        Span<byte> word = stackalloc byte[4];
        for (var i = 0; i < dimensions; i++)
        {
            file.ReadExactly(word, $"extent {i} of the IDX header");
            var extent = BinaryPrimitives.ReadUInt32BigEndian(word);
            if (extent is 0 or > int.MaxValue)
            {
                throw new TrainingException($"{file.Path}: extent {i} is {extent} at offset {file.Position - 4}; it must be in 1..{int.MaxValue}.");
            }

            extents[i] = (int)extent;
        }

        return extents;
    }

    private static int Elements(BinaryFile file, int[] extents)
    {
        UInt128 count = 1;
        foreach (var extent in extents)
        {
            count *= (uint)extent;
        }

        file.RequireCapacity(count, string.Join('×', extents) + " elements");
        return (int)count;
    }
}
