using System.Collections.Immutable;
using System.Text.Json;

namespace Federated.Aggregation.Parameters;

/// <summary>The table of contents of a safetensors file, checked: every tensor lies where and as long as the header says.</summary>
/// <remarks>
/// Format: https://github.com/huggingface/safetensors#format. Eight bytes (little-endian) give the header's length; the header is one
/// JSON object of name → {dtype, shape, data_offsets}, with an optional <c>__metadata__</c> of strings; the data follows without gaps.
/// Deviation: stricter than the reference reader. Duplicate keys and unknown fields are refused, since two readers that
/// disagree about what a file holds are how a poisoned model passes a check.
/// Cost: linear in the header; nothing is allocated by a length that has not been read.
/// </remarks>
public sealed class SafetensorsHeader
{
    internal const string MetadataKey = "__metadata__";

    private readonly Dictionary<string, SafetensorsTensor> byName;

    private SafetensorsHeader(ImmutableArray<SafetensorsTensor> tensors, ImmutableSortedDictionary<string, string> metadata)
    {
        Tensors = tensors;
        Metadata = metadata;
        DataBytes = tensors.IsEmpty ? 0 : tensors[^1].End;
        byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>The tensors in the order of their data.</summary>
    public ImmutableArray<SafetensorsTensor> Tensors { get; }

    /// <summary>Free text by key; empty when the file has none.</summary>
    public ImmutableSortedDictionary<string, string> Metadata { get; }

    /// <summary>Length of the data, which ends the file.</summary>
    public long DataBytes { get; }

    /// <summary>The tensor of that name; null when the file has none.</summary>
    public SafetensorsTensor? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>
    /// The layout of the tensors whose names begin with <paramref name="prefix"/> (taken off), in the order of their data. Files that
    /// this project writes give back the layout that they were written from.
    /// </summary>
    /// <exception cref="AggregationException">A tensor among them is not floating point, or too many parameters for one buffer.</exception>
    public ParameterLayout ToLayout(string prefix = "")
    {
        var specs = new List<(string, int[])>();
        foreach (var tensor in Tensors.Where(t => t.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            if (!ElementTypes.TryParse(tensor.DataType, out _))
            {
                throw new AggregationException($"Tensor {tensor} is not floating point; parameters are F64, F32, F16 or BF16.");
            }

            if (tensor.Shape.Any(extent => extent > int.MaxValue))
            {
                throw new AggregationException($"Tensor {tensor} is too large: an extent here is at most {int.MaxValue}.");
            }

            specs.Add((tensor.Name[prefix.Length..], [.. tensor.Shape.Select(extent => (int)extent)]));
        }

        return ParameterLayout.Of([.. specs]);
    }

    /// <summary>Reads and checks a header.</summary>
    /// <param name="json">The header's bytes, without the eight that give its length.</param>
    /// <exception cref="AggregationException">Anything about it that is not as the format says.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            if (json.IsEmpty || json[0] != (byte)'{')
            {
                throw new AggregationException("Not a safetensors file: the header must begin with '{'.");
            }

            var tensors = new List<SafetensorsTensor>();
            ImmutableSortedDictionary<string, string>? metadata = null;
            var names = new HashSet<string>(StringComparer.Ordinal);
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 });
            reader.Read();
            while (NextProperty(ref reader, names, "the header") is { } name)
            {
                if (name == MetadataKey)
                {
                    metadata = ReadMetadata(ref reader);
                }
                else
                {
                    tensors.Add(ReadTensor(ref reader, name));
                }
            }

            while (reader.Read())
            {
                // Reaching the end checks that only white space follows the object.
            }

            return new SafetensorsHeader(InOrder(tensors), metadata ?? ImmutableSortedDictionary<string, string>.Empty);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is how the JSON reader reports a name that is not valid UTF-8.
            throw new AggregationException($"Not a safetensors file: the header is not valid JSON of the expected form ({e.Message})", e);
        }
    }

    private static string? NextProperty(ref Utf8JsonReader reader, HashSet<string> seen, string where)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.PropertyName)
        {
            return null;
        }

        var name = reader.GetString()!;
        if (!seen.Add(name))
        {
            throw new AggregationException($"'{name}' appears twice in {where} of the safetensors file; names must be unique.");
        }

        reader.Read();
        return name;
    }

    private static ImmutableSortedDictionary<string, string> ReadMetadata(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.StartObject, "__metadata__ must be an object of strings.");
        var entries = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (NextProperty(ref reader, keys, "__metadata__") is { } key)
        {
            Require(reader.TokenType == JsonTokenType.String, $"__metadata__ '{key}' must be a string.");
            entries.Add(key, reader.GetString()!);
        }

        return entries.ToImmutable();
    }

    private static SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name)
    {
        Require(reader.TokenType == JsonTokenType.StartObject, $"tensor '{name}' must be an object with dtype, shape and data_offsets.");
        string? dataType = null;
        ImmutableArray<long>? shape = null;
        ImmutableArray<long>? offsets = null;
        var fields = new HashSet<string>(StringComparer.Ordinal);
        while (NextProperty(ref reader, fields, $"tensor '{name}'") is { } field)
        {
            switch (field)
            {
                case "dtype":
                    Require(reader.TokenType == JsonTokenType.String, $"dtype of tensor '{name}' must be a string.");
                    dataType = reader.GetString();
                    break;
                case "shape":
                    shape = ReadIntegers(ref reader, name, field);
                    break;
                case "data_offsets":
                    offsets = ReadIntegers(ref reader, name, field);
                    break;
                default:
                    throw new AggregationException($"Tensor '{name}' has the unknown field '{field}'; known are dtype, shape and data_offsets.");
            }
        }

        if (dataType is null || shape is null || offsets is not { Length: 2 } span)
        {
            throw new AggregationException($"Tensor '{name}' must have dtype, shape and two data_offsets in the safetensors header.");
        }

        var bytes = BytesOf(name, dataType, shape.Value);
        Require(
            span[0] <= span[1] && span[1] - span[0] == bytes,
            $"tensor '{name}' {dataType}[{string.Join(", ", shape.Value)}] needs {bytes} bytes, but data_offsets are [{span[0]}, {span[1]}].");
        return new SafetensorsTensor(name, dataType, shape.Value, span[0], span[1]);
    }

    private static ImmutableArray<long> ReadIntegers(ref Utf8JsonReader reader, string name, string field)
    {
        Require(reader.TokenType == JsonTokenType.StartArray, $"{field} of tensor '{name}' must be an array of integers.");
        var values = ImmutableArray.CreateBuilder<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var value = 0L;
            var isInteger = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out value);
            Require(isInteger && value >= 0, $"{field} of tensor '{name}' must hold integers from 0 to {long.MaxValue}.");
            values.Add(value);
        }

        return values.ToImmutable();
    }

    private static long BytesOf(string name, string dataType, ImmutableArray<long> shape)
    {
        var bits = SafetensorsTensor.BitsOf(dataType);
        Require(bits > 0, $"tensor '{name}' has the unknown dtype '{dataType}'.");
        UInt128 total = (UInt128)bits;
        foreach (var extent in shape)
        {
            // Both factors are below 2⁶³, so that the product cannot wrap before it is compared.
            total *= (UInt128)extent;
            Require(total <= (UInt128)long.MaxValue, $"tensor '{name}' of shape [{string.Join(", ", shape)}] is larger than any file.");
        }

        Require(total % 8 == 0, $"tensor '{name}' {dataType}[{string.Join(", ", shape)}] does not fill whole bytes.");
        return (long)(total / 8);
    }

    private static ImmutableArray<SafetensorsTensor> InOrder(List<SafetensorsTensor> tensors)
    {
        // Stable, so that empty tensors at one offset keep the header's order.
        var ordered = tensors.OrderBy(t => t.Begin).ThenBy(t => t.End).ToImmutableArray();
        var end = 0L;
        foreach (var tensor in ordered)
        {
            Require(
                tensor.Begin == end,
                $"data of tensor '{tensor.Name}' begins at byte {tensor.Begin}, but the one before it ends at {end}; "
                + (tensor.Begin < end ? "tensors must not overlap." : "there must be no gaps."));
            end = tensor.End;
        }

        return ordered;
    }

    private static void Require(bool isTrue, string rule)
    {
        if (!isTrue)
        {
            throw new AggregationException($"Malformed safetensors file: {rule}");
        }
    }
}
