using System.Text.Json;

namespace Federated.Training.Data.Loading;

/// <summary>The tokens of a JSON file, one after another, read through a buffer: memory does not grow with the file.</summary>
internal sealed class JsonTokens : IDisposable
{
    // One token longer than this is no data set's number or name, and a text of an example fits well.
    private const int LongestToken = 16 << 20;

    private readonly FileStream file;
    private byte[] buffer = new byte[64 * 1024];
    private int start;
    private int end;
    private long consumed;
    private bool final;
    private JsonReaderState state;
    private ReadOnlyMemory<byte> value;

    public JsonTokens(string path)
    {
        Path = path;
        file = DataFiles.OpenRead(path, bufferSize: 0);
    }

    public string Path { get; }

    public JsonTokenType Type { get; private set; }

    /// <summary>The byte at which the current token ends, for messages.</summary>
    public long Offset => consumed;

    /// <summary>Moves to the next token; false at the end of the document.</summary>
    public bool Read()
    {
        while (true)
        {
            try
            {
                var reader = new Utf8JsonReader(buffer.AsSpan(start, end - start), final, state);
                if (reader.Read())
                {
                    Accept(ref reader);
                    return true;
                }

                if (final)
                {
                    return false;
                }

                Accept(ref reader, noToken: true);
            }
            catch (JsonException e)
            {
                throw new TrainingException($"{Path}: not valid JSON after byte {consumed}: {e.Message}", e);
            }

            Fill();
        }
    }

    /// <summary>Moves to the next token, which must exist.</summary>
    public JsonTokenType Next() => Read() ? Type : throw Error("more of the document", "the end of the file");

    /// <summary>Moves on and requires the token to be of this type.</summary>
    public void Expect(JsonTokenType type, string what)
    {
        if (Next() != type)
        {
            throw Error(what, Type.ToString());
        }
    }

    /// <summary>The current number.</summary>
    public double Number(string what) =>
        Type == JsonTokenType.Number && System.Buffers.Text.Utf8Parser.TryParse(value.Span, out double number, out var used) && used == value.Length
            ? number
            : throw Error(what, Type.ToString());

    /// <summary>The current string or property name, unescaped.</summary>
    public string Text(string what)
    {
        if (Type is not (JsonTokenType.String or JsonTokenType.PropertyName))
        {
            throw Error(what, Type.ToString());
        }

        var quoted = new byte[value.Length + 2];
        (quoted[0], quoted[^1]) = ((byte)'"', (byte)'"');
        value.Span.CopyTo(quoted.AsSpan(1));
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString()!;
    }

    /// <summary>Moves past the value that begins with the next token.</summary>
    public void Skip()
    {
        var depth = 0;
        do
        {
            depth += Next() switch
            {
                JsonTokenType.StartObject or JsonTokenType.StartArray => 1,
                JsonTokenType.EndObject or JsonTokenType.EndArray => -1,
                _ => 0,
            };
        }
        while (depth > 0);
    }

    public TrainingException Error(string needed, string there) => new($"{Path}, before byte {consumed}: {needed} is needed; there is {there}.");

    public void Dispose() => file.Dispose();

    private void Accept(ref Utf8JsonReader reader, bool noToken = false)
    {
        if (!noToken)
        {
            Type = reader.TokenType;

            // The span points into the buffer, which stays untouched until the next Fill.
            value = Type is JsonTokenType.Number or JsonTokenType.String or JsonTokenType.PropertyName
                ? buffer.AsMemory(start + (int)reader.TokenStartIndex + (Type == JsonTokenType.Number ? 0 : 1), reader.ValueSpan.Length)
                : default;
        }

        state = reader.CurrentState;
        start += (int)reader.BytesConsumed;
        consumed += reader.BytesConsumed;
    }

    private void Fill()
    {
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        if (end == buffer.Length)
        {
            if (buffer.Length >= LongestToken)
            {
                throw new TrainingException($"{Path}: a single value after byte {consumed} is longer than {LongestToken} bytes.");
            }

            Array.Resize(ref buffer, buffer.Length * 2);
        }

        var read = file.Read(buffer, end, buffer.Length - end);
        end += read;
        final = read == 0;
    }
}
