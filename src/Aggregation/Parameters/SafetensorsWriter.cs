using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Federated.Aggregation.Parameters;

/// <summary>
/// Writes one or more parameter vectors as one safetensors file. The same vectors and metadata give the same bytes, so that the file
/// can be named by its hash.
/// </summary>
/// <remarks>
/// Vectors are written in the order in which they were added, wider element types first, which keeps each tensor aligned to its
/// elements as the format asks. Cost: one pass, one 64 KiB pooled buffer; nothing d-sized is allocated.
/// </remarks>
public sealed class SafetensorsWriter
{
    private const int ChunkBytes = 64 << 10;

    private readonly List<Vector> vectors = [];
    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    /// <summary>Free text to store with the tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Adds a vector.</summary>
    /// <param name="layout">Names and shapes of its tensors.</param>
    /// <param name="values">d elements in the layout's order; read when the file is written.</param>
    /// <param name="type">How elements are stored; narrowing rounds to nearest, and a value that would overflow is refused.</param>
    /// <param name="prefix">Put before each name, to keep several vectors of one layout apart, for example <c>momentum/</c>.</param>
    /// <returns>This writer.</returns>
    /// <exception cref="AggregationException">A name that is already in the file or reserved by the format.</exception>
    public SafetensorsWriter Add<T>(ParameterLayout layout, ReadOnlyMemory<T> values, ElementType type = ElementType.F32, string prefix = "")
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, layout.Count);
        foreach (var spec in layout.Tensors)
        {
            var name = prefix + spec.Name;
            if (name == SafetensorsHeader.MetadataKey)
            {
                throw new AggregationException($"'{name}' is reserved by safetensors; choose another name or prefix.");
            }

            if (!names.Add(name))
            {
                throw new AggregationException($"Tensor '{name}' is in the file already; give each vector its own prefix.");
            }
        }

        vectors.Add(new Vector<T>(layout, values, type, prefix));
        return this;
    }

    /// <summary>Exact size of the file in bytes.</summary>
    public long Length => 8 + Header().WrittenCount + vectors.Sum(v => (long)v.Layout.Count * v.Type.Size());

    /// <summary>Writes the file from the stream's present position.</summary>
    /// <exception cref="AggregationException">A finite value does not fit the element type; the stream then holds part of a file.</exception>
    public void WriteTo(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var header = Header();
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.WrittenCount);
        stream.Write(prefix);
        stream.Write(header.WrittenSpan);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            foreach (var vector in InFileOrder())
            {
                vector.WriteTo(stream, buffer.AsSpan(0, ChunkBytes));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private IEnumerable<Vector> InFileOrder() => vectors.OrderByDescending(v => v.Type.Size());

    private ArrayBufferWriter<byte> Header()
    {
        var header = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(header, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach (var (key, value) in Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            var offset = 0L;
            foreach (var vector in InFileOrder())
            {
                foreach (var spec in vector.Layout.Tensors)
                {
                    json.WriteStartObject(vector.Prefix + spec.Name);
                    json.WriteString("dtype", vector.Type.ToString());
                    WriteIntegers(json, "shape", spec.Shape.Select(extent => (long)extent));
                    var end = offset + ((long)spec.Length * vector.Type.Size());
                    WriteIntegers(json, "data_offsets", [offset, end]);
                    json.WriteEndObject();
                    offset = end;
                }
            }

            json.WriteEndObject();
        }

        // Padded with spaces so that the data begins at a multiple of 8, as the reference writer does.
        var padding = -header.WrittenCount & 7;
        header.GetSpan(padding)[..padding].Fill((byte)' ');
        header.Advance(padding);
        return header;
    }

    private static void WriteIntegers(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    private abstract class Vector(ParameterLayout layout, ElementType type, string prefix)
    {
        public ParameterLayout Layout { get; } = layout;

        public ElementType Type { get; } = type;

        public string Prefix { get; } = prefix;

        public abstract void WriteTo(Stream stream, Span<byte> buffer);
    }

    private sealed class Vector<T>(ParameterLayout layout, ReadOnlyMemory<T> values, ElementType type, string prefix)
        : Vector(layout, type, prefix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public override void WriteTo(Stream stream, Span<byte> buffer)
        {
            var perChunk = buffer.Length / Type.Size();
            for (var start = 0; start < values.Length; start += perChunk)
            {
                var part = values.Span.Slice(start, Math.Min(perChunk, values.Length - start));
                var overflow = ElementConversion.FirstOverflow(Type, part);
                if (overflow >= 0)
                {
                    throw new AggregationException(
                        $"Parameter {start + overflow} is {part[overflow]}, beyond {Type}'s largest value {Type.Largest():R}; store it as a wider type.");
                }

                var bytes = buffer[..(part.Length * Type.Size())];
                ElementConversion.Encode(Type, part, bytes);
                stream.Write(bytes);
            }
        }
    }
}
