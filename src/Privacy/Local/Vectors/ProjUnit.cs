using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// ProjUnit: the input is projected by a public random rotation to k coordinates, which PrivUnitG makes private; the server projects back.
/// Its privacy is PrivUnitG's on the k coordinates alone, whatever the projection.
/// </summary>
/// <remarks>
/// Asi, Feldman, Nelson, Nguyen, Talwar, "Fast Optimal Locally Private Mean Estimation via Random Projections", NeurIPS 2023,
/// https://arxiv.org/abs/2306.04444.
/// <code>
/// W = k rows of H·D/√D₂, D random signs and rows from a public seed, D₂ the dimension padded to a power of two
/// y = W u/‖W u‖,  decoded = Wᵀ·PrivUnitG(y)/c,   c = E‖W u‖ = Γ((k+1)/2)Γ(D₂/2)/(Γ(k/2)Γ((D₂+1)/2))
/// </code>
/// Deviation: the rotation is one subsampled randomised Hadamard transform with a fresh seed a report; for a uniform rotation the estimate
/// with this c is exactly unbiased, for this one to O(1/k) of the norm (tested). Error is that of PrivUnitG to 1/k. Cost: O(d log d).
/// </remarks>
public sealed class ProjUnit<T> : IUnitVectorRandomizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>k at which the error can no longer be told from PrivUnitG's.</summary>
    public const int DefaultProjection = 1024;

    private const int SeedBytes = AesCounterStream.KeyBytes;
    private readonly PrivUnitG<T> inner;
    private readonly int padded;
    private readonly double shrink;

    /// <param name="epsilon">ε.</param>
    /// <param name="dimension">d.</param>
    /// <param name="projection">k; at most d padded to a power of two.</param>
    public ProjUnit(double epsilon, int dimension, int projection = DefaultProjection)
    {
        UnitVectorRandomizers.CheckDimension(dimension);
        padded = (int)BitOperations.RoundUpToPowerOf2((uint)dimension);
        Projection = Math.Min(projection, padded);
        Dimension = dimension;
        inner = new PrivUnitG<T>(epsilon, Projection);
        shrink = Math.Exp(
            GammaFunction.LogGamma((Projection + 1) / 2.0) - GammaFunction.LogGamma(Projection / 2.0)
            + GammaFunction.LogGamma(padded / 2.0) - GammaFunction.LogGamma((padded + 1) / 2.0));
    }

    public string Name => UnitVectorRandomizers.ProjUnit;

    public double Epsilon => inner.Epsilon;

    public bool IsExact => false;

    public int Dimension { get; }

    /// <summary>k.</summary>
    public int Projection { get; }

    /// <summary>E‖Wᵀr‖²/c² − 1 with ‖Wᵀr‖ = ‖r‖: rows are orthonormal. Coordinates beyond d, if padded, are dropped and save a little.</summary>
    public double MeanSquaredError => ((inner.MeanSquaredError + 1) / (shrink * shrink)) - 1;

    public long ReportBytes => inner.ReportBytes + SeedBytes;

    public double ReportNormBound => inner.ReportNormBound / shrink * (1 + 1e-3);

    /// <summary>The client's side: k private coordinates and the seed of the projection.</summary>
    public (byte[] Seed, T[] Coordinates) Encode(ReadOnlySpan<T> unit, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        UnitVectorRandomizers.CheckUnit(unit, Dimension);
        var seed = new byte[SeedBytes];
        random.Fill(seed);
        var (signs, rows) = Expand(seed);
        var rotated = new T[padded];
        unit.CopyTo(rotated);
        ApplySigns(rotated, signs);
        WalshHadamard.Transform(rotated.AsSpan());
        var projected = new T[Projection];
        for (var i = 0; i < rows.Length; i++)
        {
            projected[i] = rotated[rows[i]];
        }

        var norm = Math.Sqrt(VectorMath.Dot<T>(projected, projected));
        if (norm == 0)
        {
            projected[0] = T.One; // any unit vector will do: privacy holds for all, and the event has no probability to speak of
            norm = 1;
        }

        VectorMath.Scale<T>(projected, 1 / norm);
        inner.Randomize(projected, projected, random);
        return (seed, projected);
    }

    /// <summary>The server's side: adds the decoded vector to a sum.</summary>
    public void AddDecoded(ReadOnlySpan<byte> seed, ReadOnlySpan<T> coordinates, Span<T> sum)
    {
        if (seed.Length != SeedBytes || coordinates.Length != Projection || sum.Length != Dimension)
        {
            throw new PrivacyException(
                $"A report has {Projection} coordinates and a seed of {SeedBytes} bytes, for sums of {Dimension}; this one has {coordinates.Length} and {seed.Length}.");
        }

        var (signs, rows) = Expand(seed);
        var spread = new T[padded];
        for (var i = 0; i < rows.Length; i++)
        {
            spread[rows[i]] = coordinates[i];
        }

        WalshHadamard.Transform(spread.AsSpan());
        ApplySigns(spread, signs);
        VectorMath.AddScaled(sum, spread.AsSpan(0, Dimension), 1 / (Math.Sqrt(padded) * shrink));
    }

    public void Randomize(ReadOnlySpan<T> unit, Span<T> report, IRandomSource random)
    {
        var (seed, coordinates) = Encode(unit, random);
        report.Clear();
        AddDecoded(seed, coordinates, report);
    }

    private (ulong[] Signs, int[] Rows) Expand(ReadOnlySpan<byte> seed)
    {
        using var stream = RandomStreams.OpenPublic(seed);
        var signs = new ulong[(padded + 63) / 64];
        stream.Fill(MemoryMarshal.AsBytes(signs.AsSpan()));
        return (signs, stream.NextSubset(padded, Projection));
    }

    private static void ApplySigns(Span<T> values, ulong[] signs)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (signs[i >> 6] >> (i & 63) & 1) != 0 ? -values[i] : values[i];
        }
    }
}
