using System.Numerics;
using Federated.Aggregation.Compression;

namespace Federated.Aggregation.Robust;

/// <summary>Holds a copy of every update until a robust rule combines them in ascending (client, sequence).</summary>
/// <remarks>
/// Holds n·d coordinates: robust rules need all updates at once. Buffers are kept for the next aggregate. Weights reach those rules whose
/// paper weights the updates (geometric median, norm bounding); the others count every update alike, and leave those of weight 0 out.
/// The result does not depend on the order of arrival or the number of threads.
/// </remarks>
public sealed class RobustAggregator<T>(IRobustRule<T> rule, int dimension) : IDecodingAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly List<Entry> held = [];
    private readonly HashSet<(int, long)> seen = [];
    private readonly Stack<T[]> spare = new();

    public string Name => Rule.Name;

    public bool IsStreaming => false;

    public int Count => held.Count;

    /// <summary>The rule that combines the updates.</summary>
    public IRobustRule<T> Rule { get; } = rule;

    /// <summary>What the rule carries from one combination to the next: what a checkpoint must hold.</summary>
    public IReadOnlyDictionary<string, Memory<T>> State => Rule.State;

    /// <summary>Workers that may share one combination; the result is the same, to the bit, for any value.</summary>
    /// <value>The default is the number of processors. Must be at least 1.</value>
    public int Threads { get; init; } = Environment.ProcessorCount;

    public void Add(in Contribution<T> contribution)
    {
        if (contribution.Delta.Length != dimension)
        {
            throw new AggregationException(
                $"Client {contribution.Client} sent {contribution.Delta.Length} coordinates, this aggregate has {dimension}; check the model layout before adding.");
        }

        RequireNew(contribution);
        var copy = Buffer();
        contribution.Delta.CopyTo(copy);
        Hold(contribution, copy);
    }

    public void AddEncoded(IUpdateCodec<T> codec, ReadOnlySpan<byte> message, in Contribution<T> description)
    {
        ArgumentNullException.ThrowIfNull(codec);
        RequireNew(description);
        var copy = Buffer();
        try
        {
            codec.DecodeInto(message, copy);
        }
        catch (AggregationException)
        {
            spare.Push(copy);
            throw;
        }

        Hold(description, copy);
    }

    /// <inheritdoc/>
    /// <exception cref="AggregationException">Fewer updates than the rule needs; the ones at hand stay, so that more can be added.</exception>
    public CombineReport Combine(Span<T> pseudoGradient)
    {
        held.Sort(static (a, b) => a.Client != b.Client ? a.Client.CompareTo(b.Client) : a.Sequence.CompareTo(b.Sequence));
        var voters = held.FindAll(static entry => entry.Weight > 0);
        var updates = new HeldUpdates<T>(
            [.. voters.Select(static entry => (ReadOnlyMemory<T>)entry.Delta)], [.. voters.Select(static entry => entry.Weight)])
        {
            Threads = Threads,
        };
        var outcome = Rule.Combine(updates, pseudoGradient);
        var leftOut = new List<(int, string)>();
        leftOut.AddRange(held.Where(static entry => entry.Weight == 0).Select(static entry => (entry.Client, "weight 0")));
        leftOut.AddRange(outcome.LeftOut.Select(left => (voters[left.Index].Client, left.Reason)));
        foreach (var entry in held)
        {
            spare.Push(entry.Delta);
        }

        held.Clear();
        seen.Clear();
        return new CombineReport(outcome.Used, outcome.WeightSum) { LeftOut = leftOut };
    }

    private void RequireNew(in Contribution<T> contribution)
    {
        Guards.RequireWeight(contribution.Weight);
        if (seen.Contains((contribution.Client, contribution.Sequence)))
        {
            throw new AggregationException(
                $"Client {contribution.Client}, sequence {contribution.Sequence} is already in this aggregate; each accepted update has its own sequence.");
        }
    }

    private T[] Buffer() => spare.Count > 0 ? spare.Pop() : GC.AllocateUninitializedArray<T>(dimension);

    private void Hold(in Contribution<T> contribution, T[] copy)
    {
        seen.Add((contribution.Client, contribution.Sequence));
        held.Add(new Entry(contribution.Client, contribution.Sequence, contribution.Weight, copy));
    }

    private readonly record struct Entry(int Client, long Sequence, double Weight, T[] Delta);
}
