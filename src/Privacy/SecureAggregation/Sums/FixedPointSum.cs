using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.SecureAggregation.Sums;

/// <summary>
/// Fixed point, exact: the sum of up to n messages can never wrap around, and says the weighted mean to half a step of the grid. It hides single updates
/// and adds no noise: a mean of few still tells of each.
/// </summary>
/// <remarks>
/// <code>
/// s = grid steps in one unit,  L = ⌊C·s⌋ ≤ ⌊(2^(b−1) − 1)/n⌋
/// word_j = round(ω·clip(x)_j·s) mod 2^b,  word_d = round(ω·L),   ω = w/w_max
/// mean_j = (Σ word_j / s) / (Σ word_d / L)
/// </code>
/// Deviation: nearest rounding, since nothing here rests on its being random. Cost: O(d).
/// </remarks>
public sealed class FixedPointSum<T> : SumEncoding<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly double scale;
    private readonly long largest;

    /// <param name="most">n: the most messages of a sum.</param>
    /// <param name="scale">s; 0 for the finest grid that cannot wrap.</param>
    /// <exception cref="PrivacyException">A sum of so many could wrap around.</exception>
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public FixedPointSum(int dimension, int bits, double clipNorm, int most, double scale = 0)
    {
        (Dimension, Bits, ClipNorm) = (dimension, bits, clipNorm);
        L2Clip.CheckBound(clipNorm);
        var room = ((1L << (bits - 1)) - 1) / Math.Max(1, most);
        this.scale = scale > 0 ? scale : room / clipNorm;
        largest = scale > 0 ? (long)Math.Ceiling(clipNorm * scale) : room;
        if (largest > room || largest < 1)
        {
            throw new PrivacyException(
                $"A sum of {most} updates of length up to {clipNorm} in steps of {1 / this.scale:G4} can wrap around {bits} bits, where each has room for {room} steps. "
                + $"Lower privacy.scale to {room / clipNorm:G4} or less (0 takes the finest), raise privacy.bits, or let fewer clients into a sum.");
        }
    }

    public override int Length => Dimension + 1;

    public override ClipReport Encode(Span<T> update, double weight, ReadOnlySpan<byte> publicSeed, Span<uint> words, IRandomSource random)
    {
        Check(update.Length, words.Length);
        var report = L2Clip.Apply(update, ClipNorm, maxThreads: 1);
        var share = Math.Clamp(weight, 0, 1);
        for (var j = 0; j < update.Length; j++)
        {
            // Clipping in T may leave the norm above C by a rounding; the bound on a word must hold exactly.
            var value = (long)Math.Round(share * double.CreateTruncating(update[j]) * scale);
            words[j] = Residue(Math.Clamp(value, -largest, largest));
        }

        words[^1] = Residue((long)Math.Round(share * largest));
        return report;
    }

    public override double Decode(ReadOnlySpan<uint> sum, int members, ReadOnlySpan<byte> publicSeed, Span<T> mean)
    {
        Check(mean.Length, sum.Length);
        var weights = (double)Centred(sum[^1]) / largest;
        for (var j = 0; j < mean.Length; j++)
        {
            mean[j] = weights > 0 ? T.CreateTruncating(Centred(sum[j]) / scale / weights) : T.Zero;
        }

        return weights;
    }
}
