using System.Buffers;
using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>A <see cref="ModelState{T}"/> whose updates, versions and optimizer state are blobs: safetensors, and the run's codec for deltas.</summary>
/// <remarks>
/// Blobs written for restoring hold T as it is, so that a restored run goes on to the same bits. Memory: O(d) beside the model state, in
/// buffers that are used again; a check holds one tensor, or a small model whole.
/// </remarks>
/// <param name="layout">Names and shapes of the d parameters.</param>
/// <param name="create">Makes the state of a new run, at version 0; called again to go back to a saved version.</param>
/// <param name="format">How models are stored: F64 for double, F32 for float.</param>
/// <param name="codec">How clients encode deltas; null for safetensors.</param>
/// <param name="observer">Is told of lengths and steps while somebody watches; never of single updates under a privacy policy.</param>
public sealed class BlobModel<T>(ParameterLayout layout, Func<ModelState<T>> create, ElementType format, IUpdateCodec<T>? codec = null, RunObserver? observer = null) : IRunModel
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Models up to this many parameters are checked in one piece.</summary>
    private const int OnePiece = 1 << 20;

    private readonly T[] delta = codec is null ? new T[layout.Count] : [];
    private PlainFile<T>? plain;
    private T[]? baseParameters;
    private AggregateProbe<T>? probe;
    private T[]? decoded;

    /// <summary>The numbers; owned by the run.</summary>
    public ModelState<T> State { get; private set; } = create();

    public async ValueTask<UpdateCheck> CheckAsync(UpdateReport report, OpenBlob open, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(open);
        if (report.Delta is null)
        {
            return new UpdateCheck("The update names no delta.", true);
        }

        foreach (var name in State.UplinkNames)
        {
            if (!report.Extras.ContainsKey(name))
            {
                return new UpdateCheck($"The run's local objective needs '{name}' beside the delta; send it as an extra.", true);
            }
        }

        foreach (var name in report.Extras.Keys)
        {
            if (!State.UplinkNames.Contains(name))
            {
                return new UpdateCheck($"The run's local objective has no use for '{name}' beside the delta; leave it out.", true);
            }
        }

        try
        {
            var isFinite = codec is null
                ? await IsFiniteAsync(report.Delta, open, cancellation).ConfigureAwait(false)
                : IsFinite((await ReadBytesAsync(report.Delta, open, cancellation).ConfigureAwait(false)).Span);
            foreach (var extra in report.Extras.Values)
            {
                isFinite &= await IsFiniteAsync(extra, open, cancellation).ConfigureAwait(false);
            }

            return new UpdateCheck("", isFinite);
        }
        catch (AggregationException e)
        {
            return new UpdateCheck(e.Message, true);
        }
    }

    public async ValueTask AccumulateAsync(Accumulate effect, BlobReference? baseModel, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(effect);
        ArgumentNullException.ThrowIfNull(blobs);
        var reference = effect.Report.Delta
            ?? throw new CoordinatorException($"The update of {effect.Assignment.Id} names no blob with its delta; only a simulation keeps deltas elsewhere.");
        if (baseModel is not null)
        {
            await ReadAsync(baseModel, baseParameters ??= new T[layout.Count], blobs, cancellation).ConfigureAwait(false);
        }

        Dictionary<string, ReadOnlyMemory<T>> extras = [];
        foreach (var (name, blob) in effect.Report.Extras)
        {
            var values = new T[layout.Count];
            await ReadAsync(blob, values, blobs, cancellation).ConfigureAwait(false);
            extras.Add(name, values);
        }

        if (codec is null)
        {
            await using var stream = await blobs.OpenAsync(reference, cancellation).ConfigureAwait(false);
            Accumulate(effect, stream, extras);
        }
        else
        {
            var message = await ReadBytesAsync(reference, blobs.OpenAsync, cancellation).ConfigureAwait(false);
            State.AccumulateEncoded(effect, codec, message.Span, baseParameters, extras);
            if (Measures)
            {
                codec.DecodeInto(message.Span, decoded ??= new T[layout.Count]);
                Measure(effect, decoded);
            }
        }
    }

    /// <summary>On its own, because a span cannot live across an await.</summary>
    private void Accumulate(Accumulate effect, Stream stream, Dictionary<string, ReadOnlyMemory<T>> extras)
    {
        if (stream is ReadOnlyMemoryStream memory && Plain is { } form && form.TryGet(memory.Bytes.Span, out var values))
        {
            State.Accumulate(effect, values, baseParameters, extras);
            Measure(effect, values);
        }
        else
        {
            Read(stream, delta);
            State.Accumulate(effect, delta, baseParameters, extras);
            Measure(effect, delta);
        }
    }

    private bool Measures => observer is { IsWatched: true } && State.Privacy is null;

    private void Measure(Accumulate effect, ReadOnlySpan<T> update)
    {
        if (Measures)
        {
            probe ??= new AggregateProbe<T>(State.Current.Parameters);
            observer!.Add(new UpdateMeasured(effect.Assignment.Id, probe.Take(update)));
        }
    }

    public void Publish(Publish effect)
    {
        ArgumentNullException.ThrowIfNull(effect);
        var report = State.Publish(effect);
        if (observer is { IsWatched: true })
        {
            var measures = probe?.Publish(State.LastPseudoGradient, State.Current.Parameters) ?? AggregateMeasures.None;
            observer.Add(new VersionMeasured(effect.Version, report.WeightSum, measures.StepNorm, measures.Agreement, State.Privacy is null ? report.LeftOut : []));
        }
    }

    public async ValueTask<VersionBlobs> SaveVersionAsync(IBlobStore blobs, CancellationToken cancellation)
    {
        var model = await WriteModelAsync(State.Current.Parameters, blobs, cancellation).ConfigureAwait(false);
        var deployed = ReferenceEquals(State.Deployed, State.Current.Parameters)
            ? model
            : await WriteModelAsync(State.Deployed, blobs, cancellation).ConfigureAwait(false);
        var extras = ImmutableSortedDictionary.CreateBuilder<string, BlobReference>(StringComparer.Ordinal);
        foreach (var (name, values) in State.Current.Extras)
        {
            extras.Add(name, await WriteAsync(new SafetensorsWriter().Add(layout, values, format), blobs, cancellation).ConfigureAwait(false));
        }

        return new VersionBlobs(model, extras.ToImmutable(), deployed);
    }

    public async ValueTask<BlobReference?> SaveStateAsync(IBlobStore blobs, CancellationToken cancellation)
    {
        var vectors = State.Vectors;
        if (vectors.Count == 0)
        {
            return null;
        }

        var writer = new SafetensorsWriter();
        foreach (var (name, values) in vectors)
        {
            writer.Add<T>(ParameterLayout.Of((name, [values.Length])), values, format);
        }

        return await WriteAsync(writer, blobs, cancellation).ConfigureAwait(false);
    }

    public async ValueTask LoadAsync(int version, VersionBlobs saved, BlobReference? state, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(saved);
        ArgumentNullException.ThrowIfNull(blobs);
        (State, probe) = (create(), null);
        await ReadAsync(saved.Model, State.Current.Parameters, blobs, cancellation).ConfigureAwait(false);
        if (state is not null)
        {
            await ReadAsync(state, State.Vectors, blobs, cancellation).ConfigureAwait(false);
        }

        State.Restore(version);
        if (!ReferenceEquals(State.Deployed, State.Current.Parameters))
        {
            await ReadAsync(saved.Deployed, State.Deployed, blobs, cancellation).ConfigureAwait(false);
        }
    }

    public string Optimizer => State.Optimizer;

    public ValueTask TakeOptimizerAsync(BlobReference state, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(blobs);
        return ReadAsync(state, State.OptimizerVectors, blobs, cancellation);
    }

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
