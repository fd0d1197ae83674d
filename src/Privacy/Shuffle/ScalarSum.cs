using Federated.Privacy.Amplification;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle;

/// <summary>
/// P_1D: the sum of one number a client, from shuffled one-bit messages. The analyser sees the number of ones in the batch and nothing else:
/// the integer sum plus Binomial(N, ½), so the guarantee is that of binomial noise under a shift of at most g, computed exactly.
/// </summary>
/// <remarks>
/// Cheu, Joseph, Mao, Peng, "Shuffle Private Stochastic Convex Optimization", ICLR 2022, §3, https://arxiv.org/abs/2106.09805.
/// <code>
/// client    k = ⌊x·g⌋ + Bernoulli(fraction),  η ~ Bin(b, ½),  sends g + b bits of which k + η are ones
/// analyser  (ones − n·b/2)/g                   unbiased; variance n·b/(4g²) + at most n/(4g²) of rounding
/// </code>
/// Deviation: p = ½ in place of ¼, and b from the exact divergence (<see cref="ShuffledSum"/>) in place of the theorem's constant, which
/// asks for a million times more. Cost: g + b messages a client.
/// </remarks>
public sealed class ScalarSum
{
    /// <param name="levels">g.</param>
    /// <param name="noiseBitsPerClient">b.</param>
    /// <param name="minimumClients">n: b·n noise bits are in the batch when that many honest clients are.</param>
    public ScalarSum(int levels, int noiseBitsPerClient, int minimumClients)
    {
        if (levels < 1 || noiseBitsPerClient < 1 || minimumClients < 1)
        {
            throw new PrivacyException(
                $"P_1D needs levels, noise bits a client and clients of 1 or more; they are {levels}, {noiseBitsPerClient}, {minimumClients}.");
        }

        (Levels, NoiseBitsPerClient, MinimumClients) = (levels, noiseBitsPerClient, minimumClients);
    }

    /// <summary>g, also the largest change of the integer sum by one client.</summary>
    public int Levels { get; }

    /// <summary>b.</summary>
    public int NoiseBitsPerClient { get; }

    /// <summary>n that the guarantee was computed for.</summary>
    public int MinimumClients { get; }

    /// <summary>g + b: the same for every client and value.</summary>
    public int MessagesPerClient => Levels + NoiseBitsPerClient;

    /// <summary>The protocol whose noise is the least that makes a batch of n honest clients (ε, δ)-private, replace-one.</summary>
    public static ScalarSum ForGuarantee(int levels, int minimumClients, double epsilon, double delta)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(minimumClients);
        var trials = ShuffledSum.Trials(levels, epsilon, delta);
        return new ScalarSum(levels, checked((int)((trials + minimumClients - 1) / minimumClients)), minimumClients);
    }

    /// <summary>Variance of the estimate's noise for a batch; rounding adds at most clients/(4g²).</summary>
    public double NoiseVariance(long clients) => clients * (NoiseBitsPerClient / (4.0 * Levels * Levels));

    /// <summary>The client's side: how many of its <see cref="MessagesPerClient"/> one-bit messages are ones.</summary>
    /// <param name="value">In [0, 1].</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public int Randomize(double value, IRandomSource random)
    {
        if (!(value is >= 0 and <= 1))
        {
            throw new PrivacyException($"P_1D sums values of [0, 1]; this one is {value}. Scale and clamp it on the client.");
        }

        var rounded = (int)Math.Min(Levels, random.NextRounded(value * Levels));
        return rounded + (int)BinomialNoise.NextFair(random, NoiseBitsPerClient);
    }

    /// <summary>Writes the messages themselves, a byte each: ones first; the shuffler removes the order.</summary>
    public void WriteMessages(int ones, Span<byte> messages)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(messages.Length, MessagesPerClient, nameof(messages));
        messages[..ones].Fill(1);
        messages[ones..].Clear();
    }

    /// <summary>The analyser's side: the sum of the clients' values, without bias.</summary>
    /// <param name="ones">Ones in the shuffled batch.</param>
    /// <param name="clients">Clients in it.</param>
    public double Analyze(long ones, long clients)
    {
        if (clients < MinimumClients)
        {
            throw new PrivacyException($"The batch has {clients} clients; its noise suffices for {MinimumClients} or more. Refuse it.");
        }

        if (ones < 0 || ones > clients * MessagesPerClient)
        {
            throw new PrivacyException($"{ones} ones cannot come from {clients} clients with {MessagesPerClient} messages each.");
        }

        return (ones - (clients * (double)NoiseBitsPerClient / 2)) / Levels;
    }
}
