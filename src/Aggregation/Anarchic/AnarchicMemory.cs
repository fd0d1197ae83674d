using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Anarchic;

/// <summary>
/// AFA-CS: the mean over every client's latest mean local gradient, of which the arrivals renew only their own. Converges to the true
/// optimum whoever arrives how often, as long as everybody comes back now and then.
/// </summary>
/// <remarks>
/// Yang, Zhang, Khanduri, Liu, "Anarchic Federated Learning", ICML 2022, Algorithm 2 (cross-silo), https://arxiv.org/abs/2108.09875.
/// Notation as in <see cref="AnarchicMean{T}"/>; G_i is kept per client as w_i·u_i/K_i. Result: (1/N)·Σ_i w_i·u_i/K_i over all clients.
/// Deviation: a scheduler's weights multiply the gradients; the paper's are 1. Until everybody was heard the mean is over those who were,
/// or over N with zeros, by option; the paper waits for everybody, which is an option of the anarchic scheduler. Written from a description; no public code is known.
/// The running sum is exact (<see cref="ReproducibleSum{T}"/>): what a client's old vector added is taken out to the last bit, so that the
/// sum is always the one that summing the memory anew would give, as after a restart. Its absolute error is at most 2^−45 per client.
/// Cost: O(d) per update, O(d) memory besides the client memory's N·d, and N reads of it at the start.
/// </remarks>
public sealed class AnarchicMemory<T> : IAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Steps of a mean gradient are far below 1; bins made for 1 take terms up to 2^43 before they would have to move.
    private const double LargestUsualTerm = 1;

    private readonly AnarchicMemoryOptions options;
    private readonly IClientMemory<T> memory;
    private readonly ReproducibleSum<T> sum;
    private readonly T[] fresh;
    private readonly T[] stale;
    private bool isSummed;

    /// <param name="dimension">d, the length of every update.</param>
    /// <param name="options">Settings.</param>
    /// <param name="memory">Where the vectors are kept; those in it at the first use are summed. In this process's memory when left out.</param>
    public AnarchicMemory(int dimension, AnarchicMemoryOptions? options = null, IClientMemory<T>? memory = null)
    {
        this.options = options ?? new AnarchicMemoryOptions();
        this.memory = memory ?? new ClientMemory<T>();
        sum = new ReproducibleSum<T>(dimension, LargestUsualTerm);
        (fresh, stale) = (new T[dimension], new T[dimension]);
    }

    public string Name => Aggregators.AnarchicMemory;

    /// <summary>True: what is held does not grow with the contributions, though it does with the clients.</summary>
    public bool IsStreaming => true;

    public int Count { get; private set; }

    /// <summary>Clients whose gradient is in the mean.</summary>
    public int Remembered => memory.Clients.Count;

    /// <summary>Renews the client's gradient; an update older than the remembered one (by sequence) is counted but changes nothing.</summary>
    public void Add(in Contribution<T> contribution)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(contribution.Delta.Length, sum.Dimension);
        Guards.RequireWeight(contribution.Weight);
        Guards.RequireSteps(contribution.LocalSteps, Name, contribution.Client);
        TensorPrimitives.Multiply(contribution.Delta, T.CreateTruncating(contribution.Weight / contribution.LocalSteps), fresh);
        var at = Finite.FirstNonFinite<T>(fresh);
        if (at >= 0)
        {
            throw new AggregationException(
                $"Coordinate {at} of client {contribution.Client}'s update is {contribution.Delta[at]}; reject updates that are not finite before aggregating them.");
        }

        SumOnce();
        var isKnown = memory.TryRead(contribution.Client, stale, out var sequence);
        if (!isKnown || contribution.Sequence >= sequence)
        {
            // Written first: if the store fails, the sum is still that of the memory.
            memory.Write(contribution.Client, contribution.Sequence, fresh);
            if (isKnown)
            {
                sum.Remove(stale);
            }

            sum.Add(fresh);
        }

        Count++;
    }

    /// <summary>Takes a client that has left out of the mean.</summary>
    public void Forget(int client)
    {
        SumOnce();
        if (memory.TryRead(client, stale, out _))
        {
            memory.Remove(client);
            sum.Remove(stale);
        }
    }

    public CombineReport Combine(Span<T> pseudoGradient)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pseudoGradient.Length, sum.Dimension);
        Guards.RequireUpdates(Count);
        if (options.Clients > 0 && Remembered > options.Clients)
        {
            throw new AggregationException(
                $"{Name} takes a mean over {options.Clients} clients, but {Remembered} have sent updates; raise clients, or set it to 0 for those heard so far.");
        }

        var clients = options.Clients > 0 ? options.Clients : Remembered;
        sum.Read(pseudoGradient, clients);
        var report = new CombineReport(Count, (double)Remembered / clients);
        Count = 0;
        return report;
    }

    /// <summary>Sums what the memory held before this aggregator's time: after a restart it is filled only once the run is restored.</summary>
    private void SumOnce()
    {
        if (isSummed)
        {
            return;
        }

        foreach (var client in memory.Clients)
        {
            memory.TryRead(client, stale, out _);
            sum.Add(stale);
        }

        isSummed = true;
    }
}
