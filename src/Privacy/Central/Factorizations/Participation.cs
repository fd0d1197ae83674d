namespace Federated.Privacy.Central.Factorizations;

/// <summary>
/// How often and how densely one client may contribute to a run: at most k times, any two at least b steps apart. Whoever schedules
/// must enforce it (see <see cref="ParticipationGate"/>): sensitivity is computed from it.
/// </summary>
public readonly record struct Participation
{
    /// <param name="count">k, at least 1.</param>
    /// <param name="separation">b, at least 1: a client seen at step t is next seen at t + b or later.</param>
    public Participation(int count, int separation)
    {
        if (count < 1 || separation < 1)
        {
            throw new PrivacyException($"Participation needs a count and a separation of at least 1; they are {count} and {separation}.");
        }

        (Count, Separation) = (count, separation);
    }

    /// <summary>Each client contributes at most once.</summary>
    public static Participation Once { get; } = new(1, 1);

    /// <summary>k.</summary>
    public int Count { get; }

    /// <summary>b.</summary>
    public int Separation { get; }

    /// <summary>The largest number of contributions that fits into <paramref name="steps"/> steps: min(k, ⌈n/b⌉).</summary>
    public int Within(int steps) => Math.Min(Count, (int)(((long)steps + Separation - 1) / Separation));
}
