using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>A <see cref="ModelState{T}"/> whose updates, versions and optimizer state are safetensors blobs.</summary>
/// <remarks>
/// Blobs written for restoring hold T as it is, so that a restored run goes on to the same bits. Memory: O(d) beside the model state, in
/// buffers that are used again.
/// </remarks>
/// <param name="layout">Names and shapes of the d parameters.</param>
/// <param name="create">Makes the state of a new run, at version 0; called again to go back to a saved version.</param>
/// <param name="format">How models are stored: F64 for double, F32 for float.</param>
public sealed class BlobModel<T>(ParameterLayout layout, Func<RestorableModel<T>> create, ElementType format) : IRunModel
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] delta = new T[layout.Count];
    private RestorableModel<T> model = create();
    private T[]? baseParameters;

    /// <summary>The numbers; owned by the run.</summary>
    public ModelState<T> State => model.State;

    public async ValueTask AccumulateAsync(Accumulate effect, BlobReference? baseModel, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(effect);
        ArgumentNullException.ThrowIfNull(blobs);
        var reference = effect.Report.Delta
            ?? throw new CoordinatorException($"The update of {effect.Assignment.Id} names no blob with its delta; only a simulation keeps deltas elsewhere.");
        await ReadAsync(reference, delta, blobs, cancellation).ConfigureAwait(false);
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

        model.State.Accumulate(effect, delta, baseParameters, extras);
    }

    public void Publish(Publish effect) => model.State.Publish(effect);

    public async ValueTask<BlobReference> SaveModelAsync(IBlobStore blobs, CancellationToken cancellation) => await WriteAsync(
        new SafetensorsWriter().Add<T>(layout, model.State.Current.Parameters, format), blobs, cancellation).ConfigureAwait(false);

    public async ValueTask<BlobReference?> SaveStateAsync(IBlobStore blobs, CancellationToken cancellation)
    {
        if (model.Vectors.Count == 0)
        {
            return null;
        }

        var writer = new SafetensorsWriter();
        foreach (var (name, values) in model.Vectors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.Add<T>(ParameterLayout.Of((name, [values.Length])), values, format);
        }

        return await WriteAsync(writer, blobs, cancellation).ConfigureAwait(false);
    }

    public async ValueTask LoadAsync(int version, BlobReference model, BlobReference? state, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        this.model = create();
        await ReadAsync(model, this.model.State.Current.Parameters, blobs, cancellation).ConfigureAwait(false);
        this.model.State.Restore(version);
        if (state is null)
        {
            return;
        }

        foreach (var (name, values) in this.model.Vectors)
        {
            await using var stream = await blobs.OpenAsync(state, cancellation).ConfigureAwait(false);
            SafetensorsReader.Open(stream).Read(ParameterLayout.Of((name, [values.Length])), values.Span, ignoreOthers: true);
        }

        this.model.State.Restore(version); // What goes down with this version comes from the state just read.
    }

    private async ValueTask ReadAsync(BlobReference blob, T[] destination, IBlobStore blobs, CancellationToken cancellation)
    {
        await using var stream = await blobs.OpenAsync(blob, cancellation).ConfigureAwait(false);
        SafetensorsReader.Open(stream).Read<T>(layout, destination);
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
}

/// <summary>A model state, and the vectors beyond its parameters that the next version depends on (optimizer, objective), by name.</summary>
public sealed record RestorableModel<T>(ModelState<T> State, IReadOnlyDictionary<string, Memory<T>> Vectors)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>;
