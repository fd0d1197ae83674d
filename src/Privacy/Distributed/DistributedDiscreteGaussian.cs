using System.Numerics;
using Federated.Privacy.Accounting;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Distributed;

/// <summary>
/// The distributed discrete Gaussian: each client adds its share of the noise in integers, and only the sum modulo 2^b is opened (by secure
/// aggregation). Protects each client against everybody who sees sums only; what breaks it is a sum with fewer honest clients than accounted.
/// </summary>
/// <remarks>
/// Kairouz, Liu, Steinke, "The Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation", ICML 2021,
/// Algorithms 1 and 2, https://arxiv.org/abs/2102.06387.
/// <code>
/// client  1 clip to c   2 rotate: H·D/√d, D random signs from a public seed   3 scale by s   4 round at random, again until ‖k‖₂ ≤ L2
///         5 add N_ℤ(0, (s·σ_l)²)   6 modulo 2^b
/// server  1 sum modulo 2^b   2 centre   3 divide by s   4 rotate back
/// L2 = min(cs + √d, √(c²s² + d/4 + √(2 ln(1/β))·(cs + √d/2))),   L1 = min(√d, L2)·L2        d padded to a power of two
/// b least with 2^b ≥ 8·√(c²n²s²/d + n/4 + n·s²σ_l²): wrapping around costs accuracy, never privacy
/// </code>
/// Deviation: none. Rounding is conditional and so biased by at most the rejected tail; the retry is unbounded. Cost: O(d log d) a client.
/// </remarks>
public sealed class DistributedDiscreteGaussian<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Below this the sum of discrete Gaussians is noticeably not one (τ grows): refused.</summary>
    private const double LeastUnits = 4;

    private readonly DistributedDiscreteGaussianOptions options;
    private readonly DiscreteGaussian noise;
    private readonly UInt128 largestSquare;
    private readonly ulong mask;

    /// <param name="options">Bound, grid, noise, clients.</param>
    /// <param name="dimension">d before padding.</param>
    public DistributedDiscreteGaussian(DistributedDiscreteGaussianOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        L2Clip.CheckBound(options.ClipNorm);
        var units = options.Scale * options.LocalDeviation;
        if (!(units >= LeastUnits) || options.Clients < 1 || !(options.Beta is >= 0 and < 1))
        {
            throw new PrivacyException(
                $"Distributed noise needs a scale times local deviation of at least {LeastUnits} grid units, clients, and beta in [0, 1); they are {units}, "
                + $"{options.Clients} and {options.Beta}. Raise the scale: it costs bits of the modulus, not accuracy.");
        }

        (this.options, Dimension) = (options, dimension);
        PaddedDimension = (int)BitOperations.RoundUpToPowerOf2((uint)dimension);
        noise = DiscreteGaussian.FromSigma(units);
        L2Sensitivity = NormBound(options.ClipNorm * options.Scale, PaddedDimension, options.Beta);
        L1Sensitivity = Math.Min(Math.Sqrt(PaddedDimension), L2Sensitivity) * L2Sensitivity;
        largestSquare = (UInt128)Math.Floor(L2Sensitivity * L2Sensitivity);
        ModulusBits = options.ModulusBits > 0 ? options.ModulusBits : LeastModulusBits(options, PaddedDimension);
        mask = (1UL << ModulusBits) - 1;
    }

    /// <summary>d.</summary>
    public int Dimension { get; }

    /// <summary>d padded to a power of two: the length of messages.</summary>
    public int PaddedDimension { get; }

    /// <summary>b.</summary>
    public int ModulusBits { get; }

    /// <summary>The largest ‖k‖₂ of a client's integers before noise.</summary>
    public double L2Sensitivity { get; }

    /// <summary>The largest ‖k‖₁.</summary>
    public double L1Sensitivity { get; }

    /// <summary>The release as an accountant sees it.</summary>
    /// <param name="relation">Zero-out or add-remove: the sensitivities are one client's whole contribution.</param>
    /// <param name="honestClients">Clients that certainly delivered noise: the secure aggregation's threshold less those assumed to collude.</param>
    public DistributedDiscreteGaussianEvent Event(NeighbourRelation relation, int honestClients)
    {
        if (relation.Adjacency == Adjacency.ReplaceOne)
        {
            throw new PrivacyException("The sensitivities here are of one contribution becoming zero; under replace-one they double. Use zero-out or add-remove.");
        }

        return new DistributedDiscreteGaussianEvent(relation, noise.SigmaSquared, honestClients, PaddedDimension, L1Sensitivity, L2Sensitivity);
    }

    /// <summary>The client's side: steps 1 to 6.</summary>
    /// <param name="update">d coordinates; used as scratch.</param>
    /// <param name="rotationSeed">32 public bytes, the same for all clients of one sum.</param>
    /// <param name="message">Padded length; overwritten with residues below 2^b.</param>
    /// <param name="random">The client's own source; cryptographic where the guarantee is to hold.</param>
    public void Encode(Span<T> update, ReadOnlySpan<byte> rotationSeed, Span<ulong> message, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        CheckLengths(update.Length, message.Length);

        // 1 to 3
        L2Clip.Apply(update, options.ClipNorm, maxThreads: 1);
        var rotated = new double[PaddedDimension];
        for (var j = 0; j < update.Length; j++)
        {
            rotated[j] = double.CreateTruncating(update[j]);
        }

        ApplySigns(rotated, rotationSeed);
        WalshHadamard.Transform(rotated.AsSpan());
        VectorMath.Scale<double>(rotated, options.Scale / Math.Sqrt(PaddedDimension));

        // 4
        var integers = new long[PaddedDimension];
        RoundWithin(rotated, integers, random);

        // 5 and 6
        for (var j = 0; j < integers.Length; j++)
        {
            message[j] = (ulong)(integers[j] + noise.Next(random)) & mask;
        }
    }

    /// <summary>The server's side: the sum of the clients' clipped updates plus noise, from the sum of messages modulo 2^b.</summary>
    /// <param name="sum">Padded length, residues below 2^b.</param>
    /// <param name="rotationSeed">The seed that the clients had.</param>
    /// <param name="result">d coordinates; overwritten.</param>
    public void Decode(ReadOnlySpan<ulong> sum, ReadOnlySpan<byte> rotationSeed, Span<T> result)
    {
        CheckLengths(result.Length, sum.Length);
        var rotated = new double[PaddedDimension];
        for (var j = 0; j < rotated.Length; j++)
        {
            rotated[j] = (long)((sum[j] & mask) << (64 - ModulusBits)) >> (64 - ModulusBits);
        }

        WalshHadamard.Transform(rotated.AsSpan());
        VectorMath.Scale<double>(rotated, 1 / (options.Scale * Math.Sqrt(PaddedDimension)));
        ApplySigns(rotated, rotationSeed);
        for (var j = 0; j < result.Length; j++)
        {
            result[j] = T.CreateTruncating(rotated[j]);
        }
    }

    /// <summary>Rounds at random, as a whole and again, until ‖k‖₂ ≤ L2.</summary>
    internal void RoundWithin(ReadOnlySpan<double> scaled, Span<long> integers, IRandomSource random)
    {
        UInt128 square;
        do
        {
            square = 0;
            for (var j = 0; j < integers.Length; j++)
            {
                integers[j] = random.NextRounded(scaled[j]);
                var magnitude = (ulong)Math.Abs(integers[j]);
                square += Math.BigMul(magnitude, magnitude);
            }
        }
        while (square > largestSquare);
    }

    /// <summary>L2: the norm within which a conditional rounding stays.</summary>
    internal static double NormBound(double scaledClip, int padded, double beta)
    {
        var root = Math.Sqrt(padded);
        var worst = scaledClip + root;
        return beta == 0 ? worst : Math.Min(
            worst, Math.Sqrt((scaledClip * scaledClip) + (padded / 4.0) + (Math.Sqrt(2 * Math.Log(1 / beta)) * (scaledClip + (root / 2)))));
    }

    private static int LeastModulusBits(DistributedDiscreteGaussianOptions o, int padded)
    {
        var variance = (o.ClipNorm * o.ClipNorm * o.Clients * o.Clients * o.Scale * o.Scale / padded)
            + (o.Clients / 4.0) + (o.Clients * o.Scale * o.Scale * o.LocalDeviation * o.LocalDeviation);
        var bits = (int)Math.Ceiling(Math.Log2(8 * Math.Sqrt(variance)));
        return bits <= 62
            ? bits
            : throw new PrivacyException($"The sum needs a modulus of {bits} bits; 62 are the most. Lower the scale.");
    }

    private static void ApplySigns(double[] values, ReadOnlySpan<byte> seed)
    {
        using var stream = RandomStreams.OpenPublic(seed);
        for (var j = 0; j < values.Length; j += 64)
        {
            var signs = stream.NextUInt64();
            for (var i = j; i < Math.Min(values.Length, j + 64); i++, signs >>= 1)
            {
                values[i] = (signs & 1) != 0 ? -values[i] : values[i];
            }
        }
    }

    private void CheckLengths(int vector, int message)
    {
        if (vector != Dimension || message != PaddedDimension)
        {
            throw new PrivacyException($"Vectors have {Dimension} coordinates and messages {PaddedDimension}; {vector} and {message} were given.");
        }
    }
}
