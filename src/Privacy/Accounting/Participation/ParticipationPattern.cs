namespace Federated.Privacy.Accounting;

/// <summary>How often a client took part in each kind of event. Clients with equal patterns share one object.</summary>
/// <param name="entries">Event indices, ascending, with positive counts.</param>
internal sealed class ParticipationPattern(ParticipationPattern.Entry[] entries)
{
    public ReadOnlySpan<Entry> Entries => entries;

    /// <summary>Number of participations, all events together.</summary>
    public int Total { get; } = entries.Sum(entry => entry.Count);

    /// <summary>Number of clients that have this pattern now.</summary>
    public int Clients { get; set; }

    /// <summary>ε at the ledger's δ, once asked for.</summary>
    public double? Epsilon { get; set; }

    /// <summary>Equal for equal patterns.</summary>
    public string Key { get; } = string.Join(';', entries.Select(entry => $"{entry.Event}:{entry.Count}"));

    /// <summary>The entries with one more participation in an event.</summary>
    public Entry[] With(int eventIndex)
    {
        var at = Array.FindIndex(entries, entry => entry.Event >= eventIndex);
        if (at >= 0 && entries[at].Event == eventIndex)
        {
            var more = (Entry[])entries.Clone();
            more[at] = new Entry(eventIndex, more[at].Count + 1);
            return more;
        }

        at = at < 0 ? entries.Length : at;
        return [.. entries[..at], new Entry(eventIndex, 1), .. entries[at..]];
    }

    /// <summary>Whether this pattern has at least as many of every event as the other.</summary>
    public bool Covers(ParticipationPattern other)
    {
        var i = 0;
        foreach (var needed in other.Entries)
        {
            while (i < entries.Length && entries[i].Event < needed.Event)
            {
                i++;
            }

            if (i == entries.Length || entries[i].Event != needed.Event || entries[i].Count < needed.Count)
            {
                return false;
            }
        }

        return true;
    }

    /// <param name="Event">Index of the event in the ledger.</param>
    /// <param name="Count">Participations in it.</param>
    internal readonly record struct Entry(int Event, int Count);
}
