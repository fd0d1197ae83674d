using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Distributed;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.SecureAggregation.Sums;

/// <summary>The distributed discrete Gaussian as words: every message carries its share of the noise, and all updates weigh the same.</summary>
/// <remarks>See <see cref="DistributedDiscreteGaussian{T}"/>. The divisor is the number of members, which zero-out neighbours share. Cost: O(d log d).</remarks>
public sealed class DiscreteGaussianSum<T> : SumEncoding<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly DistributedDiscreteGaussian<T> mechanism;
    private readonly ulong[] message;

    /// <param name="options">With a modulus of at most 32 bits.</param>
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public DiscreteGaussianSum(DistributedDiscreteGaussianOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        mechanism = new DistributedDiscreteGaussian<T>(options, dimension);
        (Dimension, Bits, ClipNorm) = (dimension, mechanism.ModulusBits, options.ClipNorm);
        message = new ulong[mechanism.PaddedDimension];
        if (Bits > 32)
        {
            throw new PrivacyException($"Secure aggregation sums words of up to 32 bits; this noise needs {Bits}. Lower the scale.");
        }
    }

    public override int Length => message.Length;

    public override ClipReport Encode(Span<T> update, double weight, ReadOnlySpan<byte> publicSeed, Span<uint> words, IRandomSource random)
    {
        Check(update.Length, words.Length);
        var report = L2Clip.Apply(update, ClipNorm, maxThreads: 1); // The mechanism clips again, and finds nothing to do.
        mechanism.Encode(update, publicSeed, message, random);
        for (var j = 0; j < words.Length; j++)
        {
            words[j] = (uint)message[j];
        }

        Array.Clear(message);
        return report;
    }

    public override double Decode(ReadOnlySpan<uint> sum, int members, ReadOnlySpan<byte> publicSeed, Span<T> mean)
    {
        Check(mean.Length, sum.Length);
        for (var j = 0; j < sum.Length; j++)
        {
            message[j] = sum[j];
        }

        mechanism.Decode(message, publicSeed, mean);
        System.Numerics.Tensors.TensorPrimitives.Divide(mean, T.CreateTruncating(Math.Max(1, members)), mean);
        return members;
    }
}
