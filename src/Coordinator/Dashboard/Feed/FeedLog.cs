namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>
/// One stream of a run in bounded memory: points numbered from 1 without gaps as they are appended. When it is full it either forgets its
/// oldest points, or every second one of its older three quarters (a curve keeps its shape, at less detail the older it is).
/// </summary>
/// <remarks>Not for several threads: <see cref="ViewFeed"/> guards it. Cost: O(1) per append, amortised; memory grows up to the capacity only.</remarks>
internal sealed class FeedLog<T>(int capacity, bool thins)
{
    private (long Sequence, T Point)[] items = new (long, T)[Math.Min(capacity, 64)];
    private int first;
    private int count;

    /// <summary>Sequence number of the newest point; 0 before the first.</summary>
    public long Last { get; private set; }

    public int Count => count;

    public T? Newest => count == 0 ? default : At(count - 1).Point;

    public void Append(T point)
    {
        if (count == items.Length)
        {
            MakeRoom();
        }

        items[(first + count) % items.Length] = (++Last, point);
        count++;
    }

    /// <summary>The points behind <paramref name="after"/>, oldest first; of more than <paramref name="most"/> the oldest, or the newest.</summary>
    public FeedSlice<T> Read(long after, int most, bool newest)
    {
        var from = IndexAfter(after);
        var length = Math.Min(most, count - from);
        if (newest)
        {
            from = count - length;
        }

        var (sequences, points) = (new long[length], new T[length]);
        for (var i = 0; i < length; i++)
        {
            (sequences[i], points[i]) = At(from + i);
        }

        // A slice follows on from whatever is held before it; what was forgotten or thinned is no gap that could be repaired.
        var before = newest && from > IndexAfter(after) ? At(from - 1).Sequence : after;
        return new FeedSlice<T>(before, Last, sequences, points);
    }

    private ref (long Sequence, T Point) At(int index) => ref items[(first + index) % items.Length];

    private int IndexAfter(long sequence)
    {
        var (low, high) = (0, count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (At(middle).Sequence <= sequence)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void MakeRoom()
    {
        if (items.Length < capacity)
        {
            var larger = new (long, T)[Math.Min(capacity, items.Length * 2)];
            for (var i = 0; i < count; i++)
            {
                larger[i] = At(i);
            }

            (items, first) = (larger, 0);
        }
        else if (thins)
        {
            var older = count / 4 * 3;
            var kept = 0;
            for (var i = 0; i < count; i++)
            {
                if (i >= older || i % 2 == 0)
                {
                    At(kept++) = At(i);
                }
            }

            for (var i = kept; i < count; i++)
            {
                At(i) = default;
            }

            count = kept;
        }
        else
        {
            At(0) = default;
            first = (first + 1) % items.Length;
            count--;
        }
    }
}

/// <summary>Consecutive points of one stream.</summary>
/// <param name="After">The sequence number that they follow.</param>
/// <param name="Last">The newest sequence number of the stream: there is more to read while it is above the slice's own last.</param>
internal readonly record struct FeedSlice<T>(long After, long Last, long[] Sequences, T[] Points);
