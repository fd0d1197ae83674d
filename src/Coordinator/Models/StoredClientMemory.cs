using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Models;

/// <summary>
/// The latest vector of each client in the blob store, those of the clients seen last in memory too: what AFA-CS needs where N·d is too
/// much to hold.
/// </summary>
/// <remarks>
/// A vector is written to the store when it leaves the cache or the memory is saved, whichever comes first; until then the run's log can
/// bring it back, as repeating its events writes the same vectors again. What is saved, as a section of the run, names blobs only. One
/// thread; a read that misses the cache waits for the store, see <see cref="Wait"/>.
/// Cost: O(capacity·d) memory and about 300 B per client; a read and a write of d values per update of a client that is not cached.
/// </remarks>
public sealed class StoredClientMemory<T> : IClientMemory<T>, IRunSection
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The form that <see cref="Save"/> writes.</summary>
    private const int Form = 1;

    private static readonly ElementType Format = typeof(T) == typeof(double) ? ElementType.F64 : ElementType.F32;

    private readonly IBlobStore blobs;
    private readonly ParameterLayout layout;
    private readonly int capacity;
    private readonly SortedDictionary<int, Entry> entries = [];
    private readonly LinkedList<Entry> recent = new();
    private readonly Stack<T[]> spare = new();
    private ImmutableArray<BlobReference> saved = [];
    private ImmutableArray<BlobReference> savedBefore = [];

    /// <param name="blobs">Holds the vectors, as safetensors.</param>
    /// <param name="dimension">d.</param>
    /// <param name="capacity">Vectors to keep in memory; 1 or more.</param>
    public StoredClientMemory(IBlobStore blobs, int dimension, int capacity)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        (this.blobs, this.capacity) = (blobs, capacity);
        layout = ParameterLayout.Of(("latest", [dimension]));
    }

    public string Name => "client-memory";

    public IReadOnlyCollection<int> Clients => entries.Keys;

    /// <summary>Vectors in memory; at most the capacity.</summary>
    public int Cached => recent.Count;

    /// <summary>
    /// The blobs to keep: those of the present vectors, and those that the last two <see cref="Save"/>s named, since a crash goes back to
    /// the newest of them that became durable.
    /// </summary>
    public IEnumerable<BlobReference> Blobs => entries.Values.Select(e => e.Blob).OfType<BlobReference>().Concat(saved).Concat(savedBefore).Distinct();

    public bool TryRead(int client, Span<T> destination, out long sequence)
    {
        if (!entries.TryGetValue(client, out var entry))
        {
            sequence = 0;
            return false;
        }

        entry.Vector ??= Fetch(entry.Blob!);
        Touch(entry);
        entry.Vector.CopyTo(destination);
        sequence = entry.Sequence;
        return true;
    }

    public void Write(int client, long sequence, ReadOnlySpan<T> vector)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(vector.Length, layout.Count);
        if (!entries.TryGetValue(client, out var entry))
        {
            entries.Add(client, entry = new Entry());
        }

        entry.Vector ??= MakeRoom();
        Touch(entry);
        vector.CopyTo(entry.Vector);
        (entry.Sequence, entry.Blob) = (sequence, null);
    }

    public void Remove(int client)
    {
        if (entries.Remove(client, out var entry) && entry.Vector is { } vector)
        {
            recent.Remove(entry.Place);
            spare.Push(vector);
        }
    }

    /// <summary>Stores what the store does not have yet, and writes which blob is whose.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Form);
        writer.Write(entries.Count);
        foreach (var (client, entry) in entries)
        {
            writer.Write(client);
            writer.Write(entry.Sequence);
            writer.WriteBlob(entry.Blob ??= Store(entry.Vector!));
        }

        savedBefore = saved;
        saved = [.. entries.Values.Select(e => e.Blob!)];
    }

    /// <summary>Takes what <see cref="Save"/> wrote; an aggregator that is to sum it is made or first used afterwards.</summary>
    /// <exception cref="CoordinatorException">It was written in a form that this build does not know.</exception>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var form = reader.ReadInt32();
        if (form != Form)
        {
            throw new CoordinatorException($"The memory of clients has form {form}; this build reads form {Form}. Use the build that wrote it, or a newer one.");
        }

        foreach (var client in entries.Keys.ToList())
        {
            Remove(client);
        }

        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            entries.Add(reader.ReadInt32(), new Entry { Sequence = reader.ReadInt64(), Blob = reader.ReadBlob() });
        }

        saved = [.. entries.Values.Select(e => e.Blob!)];
    }

    public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
    {
        // The aggregator writes what there is to remember.
    }

    private void Touch(Entry entry)
    {
        if (entry.Place.List is not null)
        {
            recent.Remove(entry.Place);
        }

        recent.AddFirst(entry.Place);
    }

    /// <summary>A buffer for one more vector: that of the client seen longest ago, when the cache is full.</summary>
    private T[] MakeRoom()
    {
        if (recent.Count < capacity)
        {
            return spare.TryPop(out var unused) ? unused : new T[layout.Count];
        }

        var oldest = recent.Last!.Value;
        var vector = oldest.Vector!;
        oldest.Blob ??= Store(vector);
        oldest.Vector = null;
        recent.RemoveLast();
        return vector;
    }

    private T[] Fetch(BlobReference blob)
    {
        var vector = MakeRoom();
        try
        {
            using var stream = Wait(blobs.OpenAsync(blob, CancellationToken.None));
            SafetensorsReader.Open(stream).Read<T>(layout, vector);
            return vector;
        }
        catch
        {
            spare.Push(vector);
            throw;
        }
    }

    private BlobReference Store(T[] vector) => Wait(WriteAsync(vector));

    private async ValueTask<BlobReference> WriteAsync(T[] vector)
    {
        await using var blob = await blobs.CreateAsync(CancellationToken.None).ConfigureAwait(false);
        await using (var stream = new BlobStream(blob))
        {
            new SafetensorsWriter().Add<T>(layout, vector, Format).WriteTo(stream);
        }

        return await blob.CommitAsync(null, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Waits for the store on the thread of the run's loop: an aggregator folds an update in one synchronous step.</summary>
    /// <remarks>
    /// This cannot deadlock: the loop has no synchronisation context and holds no lock, the stores resume anywhere and need nothing of the
    /// loop, and the thread pool adds a thread for one that waits. What it costs is that thread, one per run at most, and the run's time; the
    /// loop would wait for the update to be folded in either way. Files answer from the page cache mostly; PostgreSQL takes a round trip.
    /// </remarks>
    private static TResult Wait<TResult>(ValueTask<TResult> task) => task.IsCompleted ? task.Result : task.AsTask().GetAwaiter().GetResult();

    private sealed class Entry
    {
        public Entry() => Place = new LinkedListNode<Entry>(this);

        public long Sequence { get; set; }

        /// <summary>Null while the vector is newer than the store.</summary>
        public BlobReference? Blob { get; set; }

        /// <summary>Null while it is in the store alone.</summary>
        public T[]? Vector { get; set; }

        /// <summary>Its place among the cached ones; in no list while it is not cached.</summary>
        public LinkedListNode<Entry> Place { get; }
    }
}
