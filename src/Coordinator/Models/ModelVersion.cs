namespace Federated.Coordinator.Models;

/// <summary>The parameters of one version, shared without a copy by all who train from it; the buffer is used again when nobody does.</summary>
/// <remarks>Counting is thread-safe; the parameters are never written while anybody else holds them.</remarks>
public sealed class ModelVersion<T>
    where T : unmanaged
{
    private int holders = 1;

    internal ModelVersion(int version, T[] parameters) => (Version, Parameters) = (version, parameters);

    public int Version { get; internal set; }

    /// <summary>The vectors that go down beside the parameters, by name (SCAFFOLD's c); d values each, read-only.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<T>> Extras { get; internal set; } = NoExtras;

    private static Dictionary<string, ReadOnlyMemory<T>> NoExtras { get; } = [];

    /// <summary>d parameters; read-only for everyone but the model state that owns the current version.</summary>
    public T[] Parameters { get; }

    internal bool IsShared => Volatile.Read(ref holders) > 1;

    /// <summary>Takes part in holding this version; pair with <see cref="Release"/>.</summary>
    public ModelVersion<T> Hold()
    {
        Interlocked.Increment(ref holders);
        return this;
    }

    /// <summary>Gives this holding up.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref holders) < 0)
        {
            throw new InvalidOperationException($"Version {Version} was released more often than it was held.");
        }
    }

    internal bool IsFree => Volatile.Read(ref holders) == 0;

    internal void Reuse(int version) => (Version, holders) = (version, 1);
}
