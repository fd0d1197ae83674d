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
public sealed partial class BlobModel<T>(ParameterLayout layout, Func<ModelState<T>> create, ElementType format, IUpdateCodec<T>? codec = null, RunObserver? observer = null) : IRunModel
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
}
