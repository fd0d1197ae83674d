using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace Federated.Aggregation.Parameters;

/// <summary>
/// Reads parameters from a safetensors file into a caller's buffer. Made for files from strangers: every length is checked before it
/// is believed, and memory grows with bytes read, never with bytes announced.
/// </summary>
/// <remarks>
/// Works on any stream; one that cannot seek is read forward once, and its end is checked when the last byte of data has been read.
/// Not thread-safe. The stream stays the caller's. Cost: one pass over the tensors read, with one 64 KiB pooled buffer.
/// </remarks>
public sealed class SafetensorsReader
{
    /// <summary>Longest header accepted unless said: 16 MiB, some hundred thousand tensors.</summary>
    public const int DefaultHeaderLimit = 16 << 20;

    /// <summary>The format's own limit on headers.</summary>
    public const int LargestHeaderLimit = 100_000_000;

    private const int ChunkBytes = 64 << 10;

    private readonly Stream stream;
    private readonly long dataStart;
    private long position;

    private SafetensorsReader(Stream stream, SafetensorsHeader header, long dataStart)
    {
        this.stream = stream;
        this.dataStart = dataStart;
        Header = header;
    }

    public SafetensorsHeader Header { get; }

    /// <summary>Reads and checks the header.</summary>
    /// <param name="stream">At the first byte of the file.</param>
    /// <param name="headerLimit">Longest header accepted, in bytes; up to <see cref="LargestHeaderLimit"/>.</param>
    /// <exception cref="AggregationException">The file is not as the format says, is too short or too long, or its header exceeds the limit.</exception>
    public static SafetensorsReader Open(Stream stream, int headerLimit = DefaultHeaderLimit)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headerLimit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headerLimit, LargestHeaderLimit);
        var start = stream.CanSeek ? stream.Position : 0;
        long? available = stream.CanSeek ? stream.Length - start : null;

        Span<byte> prefix = stackalloc byte[8];
        var got = stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false);
        if (got < 8)
        {
            throw new AggregationException($"Not a safetensors file: it begins with 8 bytes of header length, and only {got} were there.");
        }

        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)headerLimit)
        {
            throw new AggregationException($"The safetensors header is said to be {length} bytes long; the limit is {headerLimit}.");
        }

        if (available is { } bytes && (long)length > bytes - 8)
        {
            throw new AggregationException($"The safetensors file is truncated: a header of {length} bytes was announced, {bytes - 8} follow.");
        }

        var header = SafetensorsHeader.Parse(ReadHeader(stream, (int)length));
        if (available is { } all && all - 8 - (long)length != header.DataBytes)
        {
            var there = all - 8 - (long)length;
            var verdict = there < header.DataBytes ? "truncated" : "followed by bytes that belong to no tensor";
            throw new AggregationException($"The safetensors file is {verdict}: the header describes {header.DataBytes} bytes of data, {there} are there.");
        }

        var reader = new SafetensorsReader(stream, header, start + 8 + (long)length);
        reader.CheckEnd();
        return reader;
    }

    /// <summary>Reads one vector: every tensor of <paramref name="layout"/>, found by name whatever its place in the file.</summary>
    /// <param name="layout">What is wanted, names without the prefix.</param>
    /// <param name="destination">d elements in the layout's order; overwritten. After an exception its content is undefined.</param>
    /// <param name="prefix">Begins the names of this vector's tensors in a file of several vectors, for example <c>momentum/</c>.</param>
    /// <param name="ignoreOthers">
    /// Whether tensors that begin with the prefix but are not in the layout (a counter, a buffer that is not trained) are passed over;
    /// otherwise they are refused.
    /// </param>
    /// <exception cref="AggregationException">A tensor is missing, unasked for, of another shape or not floating point; or the file is truncated.</exception>
    public void Read<T>(ParameterLayout layout, Span<T> destination, string prefix = "", bool ignoreOthers = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, layout.Count);
        Match(layout, prefix, ignoreOthers);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            foreach (var tensor in Header.Tensors)
            {
                if (tensor.Name.StartsWith(prefix, StringComparison.Ordinal) && layout.Find(tensor.Name[prefix.Length..]) is { } spec)
                {
                    Seek(tensor, buffer);
                    Read(tensor, spec.In(destination), buffer);
                }
            }

            CheckEnd();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] ReadHeader(Stream stream, int length)
    {
        // Grown as bytes arrive, so that a stranger who announces 100 MB and sends 10 bytes costs one small buffer.
        var header = new byte[Math.Min(length, ChunkBytes)];
        var filled = 0;
        while (filled < length)
        {
            if (filled == header.Length)
            {
                Array.Resize(ref header, (int)Math.Min(length, 2L * filled));
            }

            var got = stream.Read(header.AsSpan(filled));
            if (got == 0)
            {
                throw new AggregationException($"The safetensors file is truncated: a header of {length} bytes was announced, {filled} follow.");
            }

            filled += got;
        }

        return header;
    }

    /// <summary>Everything that can be wrong is found before the first parameter is overwritten.</summary>
    private void Match(ParameterLayout layout, string prefix, bool ignoreOthers)
    {
        foreach (var spec in layout.Tensors)
        {
            var tensor = Header.Find(prefix + spec.Name)
                ?? throw new AggregationException($"The safetensors file has no tensor '{prefix + spec.Name}'; it has {Names()}.");
            if (!tensor.Shape.SequenceEqual(spec.Shape.Select(extent => (long)extent)))
            {
                throw new AggregationException($"Tensor {tensor} should have shape [{string.Join(", ", spec.Shape)}].");
            }

            if (!ElementTypes.TryParse(tensor.DataType, out _))
            {
                throw new AggregationException($"Tensor {tensor} is not floating point; parameters are F64, F32, F16 or BF16.");
            }
        }

        if (!ignoreOthers)
        {
            foreach (var tensor in Header.Tensors)
            {
                if (tensor.Name.StartsWith(prefix, StringComparison.Ordinal) && layout.Find(tensor.Name[prefix.Length..]) is null)
                {
                    throw new AggregationException(
                        $"The safetensors file has tensor '{tensor.Name}', which the model lacks; remove it or ask to ignore others.");
                }
            }
        }
    }

    private string Names()
    {
        const int shown = 8;
        var names = string.Join(", ", Header.Tensors.Take(shown).Select(t => $"'{t.Name}'"));
        return Header.Tensors.Length > shown ? $"{names} and {Header.Tensors.Length - shown} more" : names.Length == 0 ? "none" : names;
    }

    private void Seek(SafetensorsTensor tensor, byte[] buffer)
    {
        if (stream.CanSeek)
        {
            stream.Position = dataStart + tensor.Begin;
            position = tensor.Begin;
            return;
        }

        if (tensor.Begin < position)
        {
            throw new AggregationException(
                $"Tensor '{tensor.Name}' has gone by in a stream that cannot seek; read vectors in the file's order, or from a file.");
        }

        while (position < tensor.Begin)
        {
            Fill(buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Begin - position)), tensor);
        }
    }

    private void Read<T>(SafetensorsTensor tensor, Span<T> destination, byte[] buffer)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        _ = ElementTypes.TryParse(tensor.DataType, out var type);
        var perChunk = ChunkBytes / type.Size();
        for (var start = 0; start < destination.Length; start += perChunk)
        {
            var part = destination.Slice(start, Math.Min(perChunk, destination.Length - start));
            var bytes = buffer.AsSpan(0, part.Length * type.Size());
            Fill(bytes, tensor);
            ElementConversion.Decode(type, bytes, part);
        }
    }

    private void Fill(Span<byte> bytes, SafetensorsTensor tensor)
    {
        var got = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        position += got;
        if (got < bytes.Length)
        {
            throw new AggregationException(
                $"The safetensors file is truncated within or before tensor '{tensor.Name}': {Header.DataBytes} bytes of data announced, {position} read.");
        }
    }

    private void CheckEnd()
    {
        if (!stream.CanSeek && position == Header.DataBytes && stream.ReadByte() >= 0)
        {
            throw new AggregationException($"The safetensors file goes on after the {Header.DataBytes} bytes of data that its header describes.");
        }
    }
}
