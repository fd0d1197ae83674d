using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle;

/// <summary>
/// P_1D: the sum of one number a client, from shuffled one-bit messages. The analyser sees the number of ones in the batch and nothing else:
/// the integer sum plus Binomial(N, p), so the guarantee is that of binomial noise under a shift of at most g, computed exactly.
/// </summary>
/// <remarks>
/// Cheu, Joseph, Mao, Peng, "Shuffle Private Stochastic Convex Optimization", ICLR 2022, §3, https://arxiv.org/abs/2106.09805.
/// <code>
/// client    k = ⌊x·g⌋ + Bernoulli(fraction),  η ~ Bin(b, p),  sends g + b bits of which k + η are ones
/// analyser  (ones − n·b·p)/g                   unbiased; variance n·b·p(1 − p)/g² + at most n/(4g²) of rounding
/// </code>
/// Deviation: p = ½ in place of ¼, or less where a batch has more clients than the noise needs bits (a fair bit of each would be too much); b from the exact divergence (<see cref="ShuffledSum"/>) in place of the theorem's constant, which
/// asks for a million times more. Cost: g + b messages a client.
/// </remarks>
public sealed class ScalarSum
{
    /// <summary>Up to this many noise bits a client their probability is fitted; above, rounding b up costs less than it would.</summary>
    private const int FittedBits = 4;

    private readonly ulong coin;

    /// <param name="levels">g.</param>
    /// <param name="noiseBitsPerClient">b.</param>
    /// <param name="minimumClients">n: b·n noise bits are in the batch when that many honest clients are.</param>
    /// <param name="noiseProbability">p, in (0, ½]; rounded up to a multiple of 2⁻⁶⁴.</param>
    public ScalarSum(int levels, int noiseBitsPerClient, int minimumClients, double noiseProbability = 0.5)
    {
        if (levels < 1 || noiseBitsPerClient < 1 || minimumClients < 1 || !(noiseProbability is > 0 and <= 0.5))
        {
            throw new PrivacyException(
                $"P_1D needs levels, noise bits a client and clients of 1 or more, and a probability in (0, ½]; they are {levels}, {noiseBitsPerClient}, "
                + $"{minimumClients} and {noiseProbability}.");
        }

        (Levels, NoiseBitsPerClient, MinimumClients) = (levels, noiseBitsPerClient, minimumClients);
        coin = noiseProbability == 0.5 ? 1UL << 63 : CoinThreshold.AtLeast(noiseProbability);
        NoiseProbability = CoinThreshold.Probability(coin);
    }

    /// <summary>g, also the largest change of the integer sum by one client.</summary>
    public int Levels { get; }

    /// <summary>b.</summary>
    public int NoiseBitsPerClient { get; }

    /// <summary>p.</summary>
    public double NoiseProbability { get; }

    /// <summary>n that the guarantee was computed for.</summary>
    public int MinimumClients { get; }

    /// <summary>g + b: the same for every client and value.</summary>
    public int MessagesPerClient => Levels + NoiseBitsPerClient;

    /// <summary>The protocol whose noise is the least that makes a batch of n honest clients (ε, δ)-private, replace-one.</summary>
    public static ScalarSum ForGuarantee(int levels, int minimumClients, double epsilon, double delta)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(minimumClients);
        return ForNoise(
            levels, minimumClients, ShuffledSum.Trials(levels, epsilon, delta),
            (bits, probability) => ShuffledSum.Delta(bits, probability, levels, epsilon) <= delta);
    }

    /// <summary>The protocol with the noise of N fair bits in the batch, or with as little of less probable ones as suffices.</summary>
    /// <param name="levels">g.</param>
    /// <param name="minimumClients">n.</param>
    /// <param name="fairBits">N.</param>
    /// <param name="suffices">Whether a number of bits of a probability does.</param>
    internal static ScalarSum ForNoise(int levels, int minimumClients, long fairBits, Func<long, double, bool> suffices)
    {
        var each = checked((int)((fairBits + minimumClients - 1) / minimumClients));
        var bits = (long)each * minimumClients;
        var probability = each <= FittedBits && bits > fairBits
            ? Bisection.SmallestWhere(0, 0.5, p => p > 0 && suffices(bits, p), 1e-6)
            : 0.5;
        return new ScalarSum(levels, each, minimumClients, probability);
    }

    /// <summary>Variance of the estimate's noise for a batch; rounding adds at most clients/(4g²).</summary>
    public double NoiseVariance(long clients) =>
        clients * (double)NoiseBitsPerClient * NoiseProbability * (1 - NoiseProbability) / ((double)Levels * Levels);

    /// <summary>What a batch of the smallest allowed size reveals of one client's number.</summary>
    public BinomialShiftEvent Event() =>
        new(PrivacyUnit.ClientParticipation, (long)NoiseBitsPerClient * MinimumClients, NoiseProbability, Levels);

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
        if (NoiseProbability == 0.5)
        {
            return rounded + (int)BinomialNoise.NextFair(random, NoiseBitsPerClient);
        }

        for (var bit = 0; bit < NoiseBitsPerClient; bit++)
        {
            rounded += ExactBernoulli.Threshold(random, coin) ? 1 : 0;
        }

        return rounded;
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

        return (ones - (clients * (double)NoiseBitsPerClient * NoiseProbability)) / Levels;
    }
}
