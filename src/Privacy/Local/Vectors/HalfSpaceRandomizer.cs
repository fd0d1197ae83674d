using System.Numerics;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// A random direction from a public seed, and one bit: on which side of its half-space the input lies, through randomised response. Exactly
/// ε-locally private whatever floating point does: the seed is drawn before the data is looked at, and the bit's coin is an integer.
/// </summary>
/// <remarks>
/// Duchi, Jordan, Wainwright, "Minimax Optimal Procedures for Locally Private Estimation", JASA 2018, §4.2.3 (ℓ₂ ball),
/// https://arxiv.org/abs/1604.02390; its messages as a seed and a bit: privacy.md §3.2 (b).
/// <code>
/// V uniform on the sphere, from the seed;  bit = [⟨V,u⟩ ≥ 0] ⊕ lie
/// decoded = B·(2·bit − 1)·V,   B = (e^ε + 1)/(e^ε − 1)·√π·Γ((d+1)/2)/Γ(d/2),   MSE = B² − 1
/// </code>
/// Deviation: above ε ≈ 3 the budget is split over r independent repetitions whose decoded vectors are averaged, r of least error:
/// MSE = (B²_(ε/r) − 1)/r. Cost: O(r·d) on both sides; 33·r bytes a report.
/// </remarks>
public sealed class HalfSpaceRandomizer<T> : IUnitVectorRandomizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int SeedBytes = AesCounterStream.KeyBytes;
    private readonly BinaryResponse response;
    private readonly double scale;

    /// <param name="epsilon">ε of the whole report.</param>
    /// <param name="dimension">d.</param>
    /// <param name="repetitions">r; 0 takes the number of least error.</param>
    public HalfSpaceRandomizer(double epsilon, int dimension, int repetitions = 0)
    {
        LocalEpsilon.Check(epsilon);
        UnitVectorRandomizers.CheckDimension(dimension);
        ArgumentOutOfRangeException.ThrowIfNegative(repetitions);
        Dimension = dimension;
        Repetitions = repetitions > 0 ? repetitions : Enumerable.Range(1, 40).MinBy(r => SquareOfTanh(epsilon, r));
        response = new BinaryResponse(epsilon / Repetitions);
        scale = Math.Sqrt(Math.PI) * Math.Exp(GammaFunction.LogGamma((dimension + 1) / 2.0) - GammaFunction.LogGamma(dimension / 2.0)) / response.Contrast;
    }

    public string Name => UnitVectorRandomizers.HalfSpace;

    public double Epsilon => response.Epsilon * Repetitions;

    public bool IsExact => true;

    public int Dimension { get; }

    /// <summary>r.</summary>
    public int Repetitions { get; }

    /// <summary>B of one repetition.</summary>
    public double Scale => scale;

    public double MeanSquaredError => ((scale * scale) - 1) / Repetitions;

    public long ReportBytes => (SeedBytes + 1L) * Repetitions;

    public double ReportNormBound => scale * (1 + 1e-3);

    /// <summary>The client's side.</summary>
    public HalfSpaceReport Encode(ReadOnlySpan<T> unit, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        UnitVectorRandomizers.CheckUnit(unit, Dimension);
        var seeds = new byte[SeedBytes * Repetitions];
        random.Fill(seeds);
        var bits = new bool[Repetitions];
        var direction = new T[Dimension];
        for (var r = 0; r < Repetitions; r++)
        {
            Expand(seeds.AsSpan(r * SeedBytes, SeedBytes), direction);
            bits[r] = response.Randomize(VectorMath.Dot<T>(direction, unit) >= 0, random);
        }

        return new HalfSpaceReport(seeds, bits);
    }

    /// <summary>The server's side: adds the decoded vector to a sum.</summary>
    public void AddDecoded(HalfSpaceReport report, Span<T> sum)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (report.Bits.Count != Repetitions || report.Seeds.Length != SeedBytes * Repetitions || sum.Length != Dimension)
        {
            throw new PrivacyException(
                $"A report has {Repetitions} seeds and bits for {Dimension} coordinates; this one has {report.Bits.Count} bits and {report.Seeds.Length} seed bytes.");
        }

        var direction = new T[Dimension];
        for (var r = 0; r < Repetitions; r++)
        {
            Expand(report.Seeds.Span.Slice(r * SeedBytes, SeedBytes), direction);
            var norm = Math.Sqrt(VectorMath.Dot<T>(direction, direction));
            VectorMath.AddScaled(sum, direction, (report.Bits[r] ? scale : -scale) / (norm * Repetitions));
        }
    }

    public void Randomize(ReadOnlySpan<T> unit, Span<T> report, IRandomSource random)
    {
        var encoded = Encode(unit, random);
        report.Clear();
        AddDecoded(encoded, report);
    }

    private static double SquareOfTanh(double epsilon, int repetitions) =>
        1 / (Math.Pow(Math.Tanh(epsilon / repetitions / 2), 2) * repetitions);

    /// <summary>The direction of a seed, not normalised: the same bits on client and server, on every machine.</summary>
    private static void Expand(ReadOnlySpan<byte> seed, Span<T> direction)
    {
        using var stream = RandomStreams.OpenPublic(seed);
        GaussianSampler.Fill(direction, 1, stream);
    }
}
