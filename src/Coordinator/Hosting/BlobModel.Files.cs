using System.Buffers;
using System.Numerics;
using Federated.Aggregation;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>What is read from blobs, checked there and written to them.</content>
public sealed partial class BlobModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static async ValueTask ReadAsync(BlobReference state, IEnumerable<KeyValuePair<string, Memory<T>>> vectors, IBlobStore blobs, CancellationToken cancellation)
    {
        await using var stream = await blobs.OpenAsync(state, cancellation).ConfigureAwait(false);
        var reader = SafetensorsReader.Open(stream);
        foreach (var (name, values) in vectors)
        {
            reader.Read(ParameterLayout.Of((name, [values.Length])), values.Span, ignoreOthers: true);
        }
    }

    private async ValueTask ReadAsync(BlobReference blob, T[] destination, IBlobStore blobs, CancellationToken cancellation)
    {
        await using var stream = await blobs.OpenAsync(blob, cancellation).ConfigureAwait(false);
        Read(stream, destination);
    }

    private void Read(Stream stream, T[] destination)
    {
        if (Plain?.TryRead(stream, destination) != true)
        {
            SafetensorsReader.Open(stream).Read<T>(layout, destination);
        }
    }

    /// <summary>Null when files have to be read the long way.</summary>
    private PlainFile<T>? Plain => layout.Count <= OnePiece && PlainFile<T>.IsPossible(format) ? plain ??= new PlainFile<T>(layout, new T[layout.Count], format) : null;

    private async ValueTask<bool> IsFiniteAsync(BlobReference blob, OpenBlob open, CancellationToken cancellation)
    {
        await using var stream = await open(blob, cancellation).ConfigureAwait(false);
        if (Plain is { } form)
        {
            if (stream is ReadOnlyMemoryStream memory && form.TryGet(memory.Bytes.Span, out var inPlace))
            {
                return Finite.All(inPlace);
            }

            var values = ArrayPool<T>.Shared.Rent(Math.Max(1, layout.Count));
            try
            {
                if (form.TryRead(stream, values.AsSpan(0, layout.Count)))
                {
                    return Finite.All<T>(values.AsSpan(0, layout.Count));
                }
            }
            finally
            {
                ArrayPool<T>.Shared.Return(values);
            }
        }

        var reader = SafetensorsReader.Open(stream);
        if (layout.Count <= OnePiece)
        {
            return IsFinite(reader, layout, ignoreOthers: false);
        }

        if (reader.Header.Tensors.Length != layout.Tensors.Length)
        {
            throw new AggregationException($"The update has {reader.Header.Tensors.Length} tensors and the model {layout.Tensors.Length}.");
        }

        var isFinite = true;
        foreach (var tensor in layout.Tensors)
        {
            isFinite &= IsFinite(reader, ParameterLayout.Of((tensor.Name, [.. tensor.Shape])), ignoreOthers: true);
        }

        return isFinite;
    }

    private static bool IsFinite(SafetensorsReader reader, ParameterLayout part, bool ignoreOthers)
    {
        var values = ArrayPool<T>.Shared.Rent(Math.Max(1, part.Count));
        try
        {
            reader.Read(part, values.AsSpan(0, part.Count), ignoreOthers: ignoreOthers);
            return Finite.All<T>(values.AsSpan(0, part.Count));
        }
        finally
        {
            ArrayPool<T>.Shared.Return(values);
        }
    }

    private bool IsFinite(ReadOnlySpan<byte> message)
    {
        var sink = new FiniteSink { AllFinite = true };
        codec!.Decode(message, layout.Count, ref sink);
        return sink.AllFinite;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ReadBytesAsync(BlobReference blob, OpenBlob open, CancellationToken cancellation)
    {
        await using var stream = await open(blob, cancellation).ConfigureAwait(false);
        if (stream is ReadOnlyMemoryStream memory)
        {
            return memory.Bytes;
        }

        var bytes = new byte[blob.Length];
        await stream.ReadExactlyAsync(bytes, cancellation).ConfigureAwait(false);
        return bytes;
    }

    private async ValueTask<BlobReference> WriteModelAsync(T[] values, IBlobStore blobs, CancellationToken cancellation)
    {
        if (Plain is not { } form)
        {
            return await WriteAsync(new SafetensorsWriter().Add<T>(layout, values, format), blobs, cancellation).ConfigureAwait(false);
        }

        await using var blob = await blobs.CreateAsync(cancellation).ConfigureAwait(false);
        await blob.WriteAsync(form.Write(values), cancellation).ConfigureAwait(false);
        return await blob.CommitAsync(null, cancellation).ConfigureAwait(false);
    }

    private static async ValueTask<BlobReference> WriteAsync(SafetensorsWriter writer, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        await using var blob = await blobs.CreateAsync(cancellation).ConfigureAwait(false);
        await using (var stream = new BlobStream(blob))
        {
            writer.WriteTo(stream);
        }

        return await blob.CommitAsync(null, cancellation).ConfigureAwait(false);
    }

    /// <summary>Looks at what is decoded and keeps nothing.</summary>
    private struct FiniteSink : IUpdateSink<T>
    {
        public bool AllFinite;

        public void AddBlock(int offset, scoped ReadOnlySpan<T> values) => AllFinite &= Finite.All(values);

        public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values) => AllFinite &= Finite.All(values);
    }
}
