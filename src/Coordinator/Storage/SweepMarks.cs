namespace Federated.Coordinator.Storage;

/// <summary>
/// Decides which blobs a sweep may delete: those that were unreferenced at two sweeps in a row and that nobody touched in between nor
/// holds. Deletion and touching exclude each other.
/// </summary>
internal sealed class SweepMarks
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> holds = new(StringComparer.Ordinal);
    private HashSet<string> marked = new(StringComparer.Ordinal);
    private HashSet<string> touched = new(StringComparer.Ordinal);

    /// <summary>Somebody committed or asked for the blob.</summary>
    public void Touch(string sha256)
    {
        lock (gate)
        {
            marked.Remove(sha256);
            touched.Add(sha256);
        }
    }

    /// <summary>Touches the blob and keeps it until the result is disposed.</summary>
    public IAsyncDisposable Hold(string sha256)
    {
        lock (gate)
        {
            marked.Remove(sha256);
            touched.Add(sha256);
            holds[sha256] = holds.GetValueOrDefault(sha256) + 1;
        }

        return new Holding(this, sha256);
    }

    /// <summary>What is held now.</summary>
    public string[] Held()
    {
        lock (gate)
        {
            return [.. holds.Keys];
        }
    }

    public bool IsHeld(string sha256)
    {
        lock (gate)
        {
            return holds.ContainsKey(sha256);
        }
    }

    /// <summary>Call before asking what is referenced: what is touched from here on is left alone.</summary>
    public void Begin()
    {
        lock (gate)
        {
            touched = new HashSet<string>(StringComparer.Ordinal);
        }
    }

    /// <summary>Runs the deletion of an unreferenced blob, if it may go; else marks it for the next sweep.</summary>
    public bool TryDelete(string sha256, Action delete)
    {
        lock (gate)
        {
            if (holds.ContainsKey(sha256) || touched.Contains(sha256))
            {
                return false;
            }

            if (marked.Add(sha256))
            {
                return false;
            }

            delete();
            marked.Remove(sha256);
            return true;
        }
    }

    /// <summary>Call when the sweep is over: what is referenced, or was not there any more, loses its mark.</summary>
    public void End(IReadOnlySet<string> unreferenced)
    {
        lock (gate)
        {
            marked = marked.Where(unreferenced.Contains).ToHashSet(StringComparer.Ordinal);
        }
    }

    /// <summary>Lets go once, of what <see cref="Hold"/> held.</summary>
    public void Release(string sha256)
    {
        lock (gate)
        {
            touched.Add(sha256);
            if (--holds[sha256] == 0)
            {
                holds.Remove(sha256);
            }
        }
    }

    private sealed class Holding(SweepMarks marks, string sha256) : IAsyncDisposable
    {
        private int released;

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref released, 1) == 0)
            {
                marks.Release(sha256);
            }

            return ValueTask.CompletedTask;
        }
    }
}
