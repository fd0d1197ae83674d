using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Aggregation.Parameters;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// The safetensors file of one vector in the very form that <see cref="SafetensorsWriter"/> gives it: its header is known, so that a file
/// that begins with it needs no parsing, and its values no copy. Files of others are read the long way.
/// </summary>
/// <remarks>At a thousand parameters parsing the header costs five times as much as all else that is done with an update.</remarks>
internal sealed class PlainFile<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly byte[] header;
    private readonly int count;

    /// <param name="any">d values, to have something to write.</param>
    public PlainFile(ParameterLayout layout, T[] any, ElementType format)
    {
        var capture = new HeaderCapture();
        new SafetensorsWriter().Add<T>(layout, any, format).WriteTo(capture);
        (header, count) = (capture.Header, layout.Count);
    }

    /// <summary>Whether files can be told by their header: values must stand in them as they stand in memory, and aligned.</summary>
    public static bool IsPossible(ElementType format) =>
        BitConverter.IsLittleEndian && ((typeof(T) == typeof(float) && format == ElementType.F32) || (typeof(T) == typeof(double) && format == ElementType.F64));

    private int Length => header.Length + (count * Marshal.SizeOf<T>());

    /// <summary>The values of a file in memory, in place; false when it is of another form.</summary>
    public bool TryGet(ReadOnlySpan<byte> file, out ReadOnlySpan<T> values)
    {
        if (file.Length == Length && file.StartsWith(header))
        {
            values = MemoryMarshal.Cast<byte, T>(file[header.Length..]);
            return true;
        }

        values = default;
        return false;
    }

    /// <summary>Reads a file into place; false when it is of another form, the stream then being where it was.</summary>
    public bool TryRead(Stream stream, Span<T> destination)
    {
        if (stream.Length != Length)
        {
            return false;
        }

        Span<byte> start = header.Length <= 4096 ? stackalloc byte[header.Length] : new byte[header.Length];
        stream.ReadExactly(start);
        if (!start.SequenceEqual(header))
        {
            stream.Position = 0;
            return false;
        }

        stream.ReadExactly(MemoryMarshal.AsBytes(destination));
        return true;
    }

    public byte[] Write(ReadOnlySpan<T> values)
    {
        var file = new byte[Length];
        header.CopyTo(file, 0);
        MemoryMarshal.AsBytes(values).CopyTo(file.AsSpan(header.Length));
        return file;
    }

    /// <summary>Keeps what is written first: eight bytes of length, and as much header as they say.</summary>
    private sealed class HeaderCapture : Stream
    {
        private readonly MemoryStream kept = new();

        public byte[] Header => kept.ToArray();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            var wanted = kept.Length < 8 ? 8 - kept.Length : 8 + BitConverter.ToInt64(kept.GetBuffer()) - kept.Length;
            kept.Write(buffer[..(int)Math.Min(wanted, buffer.Length)]);
            if (kept.Length == 8 && buffer.Length > wanted)
            {
                Write(buffer[(int)wanted..]);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
