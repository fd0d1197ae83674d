using Federated.Privacy.Pipeline;

namespace Federated.Coordinator.Privacy;

/// <summary>
/// Keeps a run to what its privacy policy allows in advance: the machine asks before it gives out work and before it goes on to another
/// release, so that a budget ends a run and not an update already sent.
/// </summary>
/// <remarks>Part of the machine's state: the same events lead to the same refusals. Memory: 8 B per client that took part.</remarks>
/// <param name="limits">The policy's.</param>
/// <param name="clients">N, clients that could ever take part; those who have joined when they are more.</param>
/// <param name="leastUpdates">Fewest updates of a release.</param>
/// <param name="clientsPerRelease">Clients that have to be there at once for a release.</param>
public sealed class ParticipationLimiter(ParticipationLimits limits, int clients, int leastUpdates, int clientsPerRelease)
{
    private readonly Dictionary<int, (int Count, int Last)> used = [];
    private readonly HashSet<int> inThisRelease = [];
    private long counted;
    private int spent;
    private int tree;

    /// <summary>What a client may still do.</summary>
    public enum Verdict
    {
        /// <summary>It may take part.</summary>
        May,

        /// <summary>Not in this release, or not yet.</summary>
        Rests,

        /// <summary>No more.</summary>
        Spent,
    }

    public ParticipationLimits Limits => limits;

    /// <summary>Clients that may take part no more.</summary>
    public int SpentClients => spent;

    /// <param name="client">The client's id.</param>
    /// <param name="release">Number of the release that its update would enter at the earliest: the run's version.</param>
    public Verdict For(int client, int release)
    {
        if (!used.TryGetValue(client, out var record))
        {
            return Verdict.May;
        }

        return limits.Cap > 0 && record.Count >= limits.Cap ? limits.RestartEvery > 0 ? Verdict.Rests : Verdict.Spent
            : record.Last >= 0 && release - record.Last < limits.Separation ? Verdict.Rests
            : Verdict.May;
    }

    /// <summary>Participations counted against a client's cap.</summary>
    public int Count(int client) => used.GetValueOrDefault(client).Count;

    /// <summary>Whether another release may be made.</summary>
    public bool MayRelease(int releases) => limits.Releases == 0 || releases < limits.Releases;

    internal void OnAssigned(int client)
    {
        if (limits.CountsAssignments)
        {
            Take(client);
        }
    }

    internal void OnAccepted(int client)
    {
        if (!limits.CountsAssignments)
        {
            Take(client);
        }
    }

    internal void OnIncluded(int client, int release)
    {
        used[client] = (Count(client), release);
        inThisRelease.Add(client);
    }

    internal void OnReleased(int releases)
    {
        inThisRelease.Clear();
        if (limits.RestartEvery > 0 && releases / limits.RestartEvery != tree)
        {
            (tree, counted, spent) = (releases / limits.RestartEvery, 0, 0);
            used.Clear();
        }
    }

    /// <summary>Why no further release can ever be made; null while one can.</summary>
    /// <param name="joined">Clients known to the run.</param>
    /// <param name="waiting">Accepted updates that no release holds yet.</param>
    /// <param name="inFlight">Assignments out at clients.</param>
    internal string? Exhausted(int joined, Func<int> waiting, int inFlight)
    {
        if (limits.Cap == 0 || counted == 0)
        {
            return null;
        }

        var population = Math.Max(joined, clients);
        var left = ((long)limits.Cap * population) - counted;
        var fresh = population - spent;
        var once = limits.Separation > 0;
        if (left >= leastUpdates && fresh >= clientsPerRelease && (!once || fresh >= leastUpdates + inThisRelease.Count))
        {
            return null;
        }

        var held = waiting();
        var coming = held + (limits.CountsAssignments ? inFlight : 0);
        var others = once ? fresh - inThisRelease.Count(client => Count(client) < limits.Cap) : leastUpdates;
        return left + coming < leastUpdates || (inFlight == 0 && ((held == 0 && fresh < clientsPerRelease) || held + others < leastUpdates))
            ? $"{spent} of {population} clients have taken part {limits.Cap} times, {limits.Because}; a release needs {Math.Max(leastUpdates, clientsPerRelease)} updates"
            : null;
    }

    internal void Save(BinaryWriter writer)
    {
        writer.Write(tree);
        writer.Write(used.Count);
        foreach (var (client, (count, last)) in used.OrderBy(pair => pair.Key))
        {
            writer.Write(client);
            writer.Write(count);
            writer.Write(last);
        }
    }

    internal void Load(BinaryReader reader, int version)
    {
        used.Clear();
        inThisRelease.Clear();
        (tree, counted, spent) = (reader.ReadInt32(), 0, 0);
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            var client = reader.ReadInt32();
            var record = (Count: reader.ReadInt32(), Last: reader.ReadInt32());
            used.Add(client, record);
            counted += record.Count;
            if (record.Last == version)
            {
                inThisRelease.Add(client);
            }

            spent += limits.Cap > 0 && record.Count >= limits.Cap ? 1 : 0;
        }
    }

    private void Take(int client)
    {
        var (count, last) = used.GetValueOrDefault(client, (0, -1));
        used[client] = (++count, last);
        counted++;
        spent += limits.Cap > 0 && count == limits.Cap ? 1 : 0;
    }
}
