using System.Text;

namespace Federated.Training.Data.Loading.Csv;

/// <summary>
/// Splits delimited text into records: fields may be quoted, a quoted field may hold delimiters, line ends and doubled quotes; blank
/// lines are skipped. Every record must have as many fields as the first.
/// </summary>
/// <remarks>RFC 4180; additionally LF and CR alone end a line, a byte-order mark is skipped, and blanks around unquoted fields are trimmed.</remarks>
internal sealed class CsvReader : IDisposable
{
    // One field of a table of features has no business being longer; an unclosed quote would otherwise swallow the file.
    private const int LongestField = 1 << 20;

    private readonly string path;
    private readonly char delimiter;
    private readonly StreamReader reader;
    private readonly List<string> fields = [];
    private readonly StringBuilder field = new();
    private readonly char[] buffer = new char[16 * 1024];
    private int position;
    private int length;
    private int width = -1;
    private int nextLine = 1;

    public CsvReader(string path, char delimiter)
    {
        (this.path, this.delimiter) = (path, delimiter);
        reader = new StreamReader(DataFiles.OpenRead(path), new UTF8Encoding(false, throwOnInvalidBytes: true));
    }

    /// <summary>The fields of the record read last; reused by the next.</summary>
    public IReadOnlyList<string> Fields => fields;

    /// <summary>The line, from 1, on which the record read last begins.</summary>
    public int Line { get; private set; }

    /// <summary>Reads the next record; false at the end of the file.</summary>
    public bool Read()
    {
        try
        {
            do
            {
                if (!ReadRecord())
                {
                    return false;
                }
            }
            while (fields is [""]);
        }
        catch (DecoderFallbackException e)
        {
            throw new TrainingException($"{path}, line {nextLine}: the text is not UTF-8.", e);
        }

        width = width < 0 ? fields.Count : width;
        return fields.Count == width
            ? true
            : throw new TrainingException($"{path}, line {Line}: {width} fields are needed, as in the first record; there are {fields.Count}.");
    }

    public void Dispose() => reader.Dispose();

    private int Peek()
    {
        if (position == length)
        {
            (position, length) = (0, reader.Read(buffer));
        }

        return position < length ? buffer[position] : -1;
    }

    private int Next()
    {
        var c = Peek();
        position += c < 0 ? 0 : 1;
        return c;
    }

    private bool ReadRecord()
    {
        fields.Clear();
        Line = nextLine;
        if (Peek() < 0)
        {
            return false;
        }

        while (true)
        {
            field.Clear();
            SkipBlanks();
            var quoted = Peek() == '"';
            var end = quoted ? ReadQuoted() : ReadPlain();
            fields.Add(quoted ? field.ToString() : field.ToString().Trim());
            if (end == delimiter)
            {
                continue;
            }

            nextLine++;
            if (end == '\r' && Peek() == '\n')
            {
                Next();
            }

            return true;
        }
    }

    private void SkipBlanks()
    {
        while (Peek() is ' ' or '\t' && Peek() != delimiter)
        {
            Next();
        }
    }

    /// <summary>Reads up to and including the delimiter, line end or end of file (−1) that it returns.</summary>
    private int ReadPlain()
    {
        while (true)
        {
            var c = Next();
            if (c < 0 || c == delimiter || c is '\r' or '\n')
            {
                return c;
            }

            Append((char)c);
        }
    }

    private int ReadQuoted()
    {
        var opened = nextLine;
        Next();
        while (true)
        {
            var c = Next();
            if (c < 0)
            {
                throw new TrainingException($"{path}, line {opened}: a quoted field is not closed by the end of the file.");
            }

            if (c == '"')
            {
                if (Peek() != '"')
                {
                    break;
                }

                Next();
            }
            else if (c == '\n' || (c == '\r' && Peek() != '\n'))
            {
                nextLine++;
            }

            Append((char)c);
        }

        SkipBlanks();
        var end = Next();
        return end < 0 || end == delimiter || end is '\r' or '\n'
            ? end
            : throw new TrainingException($"{path}, line {nextLine}: '{(char)end}' follows a closing quote; a delimiter '{delimiter}' or the end of the line is needed.");
    }

    private void Append(char c)
    {
        if (field.Length == LongestField)
        {
            throw new TrainingException($"{path}, line {Line}: a field is longer than {LongestField} characters; is a quote not closed, or the delimiter another than '{delimiter}'?");
        }

        field.Append(c);
    }
}
