using Federated.Privacy.Amplification;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle;

/// <summary>
/// P_VEC: the sum of one vector a client, ‖x‖₂ ≤ Δ, from shuffled one-bit messages that carry their coordinate: P_1D at each coordinate of
/// (x + Δ)/(2Δ). The analyser sees, at each coordinate, the integer sum plus Binomial(N, ½).
/// </summary>
/// <remarks>
/// Cheu, Joseph, Mao, Peng, ICLR 2022, §3, https://arxiv.org/abs/2106.09805.
/// <code>
/// one client moves the integer vector by ‖k − k′‖₂ ≤ G = g + √d:   k = ⌊y + U⌋ with y = g(x+Δ)/(2Δ), ‖y − y′‖ ≤ g; with the same U on both
/// sides a coordinate moves by at most |y − y′| + 1, and a mixture over U is no more telling than its worst U
/// Σx = 2Δ·z − n·Δ;  variance a coordinate (2Δ)²(n·b/4 + at most n/4)/g²
/// </code>
/// Deviation: that of <see cref="ScalarSum"/>; b from <see cref="ShuffledSum.VectorTrials"/>. Cost: d(g + b) messages a client:
/// for d up to some hundred. A model sends one PrivUnitG report instead.
/// </remarks>
public sealed class VectorSum
{
    private readonly ScalarSum coordinate;

    /// <param name="dimension">d.</param>
    /// <param name="bound">Δ.</param>
    /// <param name="levels">g; well above √d, or rounding costs more than the values.</param>
    /// <param name="noiseBitsPerClient">b, at each coordinate.</param>
    /// <param name="minimumClients">n that the guarantee was computed for.</param>
    public VectorSum(int dimension, double bound, int levels, int noiseBitsPerClient, int minimumClients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        L2Clip.CheckBound(bound);
        coordinate = new ScalarSum(levels, noiseBitsPerClient, minimumClients);
        (Dimension, Bound) = (dimension, bound);
    }

    /// <summary>d.</summary>
    public int Dimension { get; }

    /// <summary>Δ.</summary>
    public double Bound { get; }

    /// <summary>g.</summary>
    public int Levels => coordinate.Levels;

    /// <summary>b.</summary>
    public int NoiseBitsPerClient => coordinate.NoiseBitsPerClient;

    /// <summary>n that the guarantee was computed for.</summary>
    public int MinimumClients => coordinate.MinimumClients;

    /// <summary>d(g + b).</summary>
    public long MessagesPerClient => (long)Dimension * coordinate.MessagesPerClient;

    /// <summary>G = g + √d.</summary>
    public double IntegerSensitivity => IntegerSensitivityOf(Dimension, Levels);

    /// <summary>The protocol whose noise is the least that makes a batch of n honest clients (ε, δ)-private, replace-one.</summary>
    /// <param name="dimension">d.</param>
    /// <param name="bound">Δ.</param>
    /// <param name="levels">g.</param>
    /// <param name="minimumClients">n.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="delta">δ.</param>
    public static VectorSum ForGuarantee(int dimension, double bound, int levels, int minimumClients, double epsilon, double delta)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(minimumClients);
        var sensitivity = IntegerSensitivityOf(dimension, levels);
        var trials = dimension == 1
            ? ShuffledSum.Trials(levels, epsilon, delta)
            : ShuffledSum.VectorTrials(dimension, sensitivity, epsilon, delta);
        return new VectorSum(dimension, bound, levels, checked((int)((trials + minimumClients - 1) / minimumClients)), minimumClients);
    }

    /// <summary>Variance of a coordinate's noise for a batch; rounding adds at most clients·Δ²/g².</summary>
    public double NoiseVariance(long clients) => 4 * Bound * Bound * coordinate.NoiseVariance(clients);

    /// <summary>G for d and g; for d = 1 the value is clamped to g levels and G = g.</summary>
    public static double IntegerSensitivityOf(int dimension, int levels) => dimension == 1 ? levels : levels + Math.Sqrt(dimension);

    /// <summary>The client's side: clips to Δ and adds its ones, coordinate by coordinate, to the batch's counts.</summary>
    /// <param name="vector">d coordinates; clipped in place.</param>
    /// <param name="ones">d counters of the batch: what the shuffled messages of all clients add up to.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public void Randomize(Span<double> vector, Span<long> ones, IRandomSource random)
    {
        CheckLength(vector.Length);
        CheckLength(ones.Length);
        L2Clip.Apply(vector, Bound, maxThreads: 1);
        for (var j = 0; j < vector.Length; j++)
        {
            ones[j] += coordinate.Randomize(Math.Clamp((vector[j] + Bound) / (2 * Bound), 0, 1), random);
        }
    }

    /// <summary>The analyser's side: the sum of the clients' vectors, without bias.</summary>
    public void Analyze(ReadOnlySpan<long> ones, long clients, Span<double> sum)
    {
        CheckLength(ones.Length);
        CheckLength(sum.Length);
        for (var j = 0; j < sum.Length; j++)
        {
            sum[j] = (2 * Bound * coordinate.Analyze(ones[j], clients)) - (clients * Bound);
        }
    }

    private void CheckLength(int length)
    {
        if (length != Dimension)
        {
            throw new PrivacyException($"The sum is over {Dimension} coordinates; {length} were given.");
        }
    }
}
