using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>The server's part of EF21 and EControl: the mean of all clients' shifts, which follows by what the clients send.</summary>
/// <remarks>
/// Richtárik, Sokolov, Fatkhullin, "EF21", NeurIPS 2021, Algorithm 2: h ← h + (1/N) Σ c_i over the clients that took part; the step goes
/// along h. An absent client's shift stays as it is, on both sides. Contributions are the decoded messages c_i, not updates.
/// Deviation: none. Unweighted as in the paper: a weight other than 1 would part the server's shift from the clients', and is refused.
/// The mean stays exact only while every message that a client commits is counted here once: see <see cref="IUpdateEncoder{T}"/>.
/// Cost: O(d) per message, O(d) memory; no copy per client.
/// </remarks>
public sealed class ShiftedMean<T> : IPiecewiseAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int clients;
    private readonly T[] shift;
    private readonly T[] change;
    private readonly ReproducibleSum<T> sum;

    public ShiftedMean(ShiftedMeanOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        clients = options.Clients >= 1
            ? options.Clients
            : throw new AggregationException($"The mean of shifts needs the number of Clients, 1 or more; it was {options.Clients}.");
        shift = new T[dimension];
        change = new T[dimension];
        sum = new ReproducibleSum<T>(dimension);
        State = ImmutableDictionary<string, Memory<T>>.Empty.Add("shift", shift);
    }

    public string Name => UpdateCodecs.ShiftedMean;

    public bool IsStreaming => true;

    public int Count => sum.Count;

    /// <summary>h, <c>shift</c>: what a checkpoint must hold.</summary>
    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public void Add(in Contribution<T> contribution)
    {
        RequireWeight(contribution);
        sum.Add(contribution.Delta);
    }

    public SumTerm<T> Begin(in Contribution<T> description)
    {
        RequireWeight(description);
        return sum.BeginTerm();
    }

    public CombineReport Combine(Span<T> pseudoGradient)
    {
        Guards.RequireUpdates(Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(pseudoGradient.Length, shift.Length);
        var report = new CombineReport(Count, (double)Count / clients);
        sum.Read(change, clients);
        sum.Reset();
        TensorPrimitives.Add<T>(shift, change, shift);
        shift.CopyTo(pseudoGradient);
        return report;
    }

    private static void RequireWeight(in Contribution<T> contribution)
    {
        if (contribution.Weight != 1)
        {
            throw new AggregationException(
                $"Shifted updates are added with weight 1; client {contribution.Client} came with {contribution.Weight}. Set example and staleness weights to constant.");
        }
    }
}
