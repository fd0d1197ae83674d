using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>Notes of which updates each version was made, across restarts; a version made twice must be made of the same.</summary>
internal sealed class Witness(IRunModel inner, SortedDictionary<int, List<(long Update, int BaseVersion)>> made) : IRunModel
{
    private readonly List<(long, int)> open = [];

    public ValueTask<UpdateCheck> CheckAsync(UpdateReport report, OpenBlob open, CancellationToken cancellation) =>
        inner.CheckAsync(report, open, cancellation);

    public ValueTask AccumulateAsync(Accumulate effect, BlobReference? baseModel, IBlobStore blobs, CancellationToken cancellation)
    {
        open.Add((effect.Assignment.Id.Value, effect.Assignment.BaseVersion));
        return inner.AccumulateAsync(effect, baseModel, blobs, cancellation);
    }

    public void Publish(Publish effect)
    {
        inner.Publish(effect);
        if (made.TryGetValue(effect.Version, out var before))
        {
            Assert.Equal(before, open);
        }

        made[effect.Version] = [.. open];
        open.Clear();
    }

    public ValueTask<VersionBlobs> SaveVersionAsync(IBlobStore blobs, CancellationToken cancellation) => inner.SaveVersionAsync(blobs, cancellation);

    public ValueTask<BlobReference?> SaveStateAsync(IBlobStore blobs, CancellationToken cancellation) => inner.SaveStateAsync(blobs, cancellation);

    public ValueTask LoadAsync(int version, VersionBlobs saved, BlobReference? state, IBlobStore blobs, CancellationToken cancellation)
    {
        open.Clear();
        return inner.LoadAsync(version, saved, state, blobs, cancellation);
    }
}
