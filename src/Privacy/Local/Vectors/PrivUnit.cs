using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// PrivUnit: a uniform point of the spherical cap around the input with probability p, else of the rest of the sphere, scaled to be
/// unbiased. ε-locally private in real arithmetic; what breaks it is floating point.
/// </summary>
/// <remarks>
/// Bhowmick, Duchi, Freudiger, Kapoor, Rogers, "Protection Against Reconstruction and Its Applications in Private Federated Learning",
/// 2018, Algorithm 1, https://arxiv.org/abs/1812.00984; (p, γ) chosen for least error as in Asi, Feldman, Talwar, ICML 2022.
/// <code>
/// q = I_(1−γ²)((d−1)/2, ½)/2,  e^ε = p(1−q)/(q(1−p)),  m = (1−γ²)^((d−1)/2) / ((d−1)·B(½, (d−1)/2)) · (p/q − (1−p)/(1−q))
/// report = V/m,  MSE = 1/m² − 1
/// </code>
/// Deviation: none but the integer coin. Cost: O(d).
/// </remarks>
public sealed class PrivUnit<T> : IUnitVectorRandomizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly CapParameters cap;
    private readonly double mean;

    public PrivUnit(double epsilon, int dimension)
    {
        LocalEpsilon.Check(epsilon);
        UnitVectorRandomizers.CheckDimension(dimension);
        Dimension = dimension;
        var reach = Math.Min(1 - 1e-9, (Math.Sqrt(2 * epsilon) + 2) / Math.Sqrt(dimension));
        cap = At(CapParameters.Maximize(reach < 0.5 ? reach : 1 - 1e-9, gamma => Mean(At(gamma, epsilon))), epsilon);
        mean = Mean(cap);
    }

    public string Name => UnitVectorRandomizers.PrivUnit;

    public double Epsilon => cap.Epsilon;

    public bool IsExact => false;

    public int Dimension { get; }

    /// <summary>γ.</summary>
    public double Gamma => cap.Gamma;

    /// <summary>q.</summary>
    public double CapMass => cap.CapMass;

    /// <summary>p.</summary>
    public double CapProbability => cap.Hit;

    /// <summary>1/m, the norm of every report: one of another norm is forged.</summary>
    public double ReportNorm => 1 / mean;

    public double MeanSquaredError => (1 / (mean * mean)) - 1;

    public long ReportBytes => 4L * Dimension;

    public double ReportNormBound => ReportNorm * (1 + 1e-3);

    public void Randomize(ReadOnlySpan<T> unit, Span<T> report, IRandomSource random)
    {
        var square = UnitVectorRandomizers.CheckUnit(unit, Dimension);
        var rented = ArrayPool<T>.Shared.Rent(Dimension);
        var gaussian = rented.AsSpan(0, Dimension);
        GaussianSampler.Fill(gaussian, 1, random);
        var along = VectorMath.Dot<T>(gaussian, unit) / square;
        VectorMath.AddScaled(gaussian, unit, -along);
        var across = Math.Sqrt(VectorMath.Dot<T>(gaussian, gaussian));
        var t = ExactBernoulli.Threshold(random, cap.Miss) ? NextBelow(random) : NextAbove(random);
        VectorMath.Scale(gaussian, Math.Sqrt(Math.Max(0, 1 - (t * t))) / (across * mean));
        VectorMath.AddScaled(gaussian, unit, t / (mean * Math.Sqrt(square)));
        gaussian.CopyTo(report);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(gaussian));
        ArrayPool<T>.Shared.Return(rented);
    }

    private CapParameters At(double gamma, double epsilon) =>
        CapParameters.At(gamma, IncompleteBeta.Regularized(1 - (gamma * gamma), (Dimension - 1) / 2.0, 0.5) / 2, epsilon);

    /// <summary>m.</summary>
    private double Mean(CapParameters at)
    {
        var half = (Dimension - 1) / 2.0;
        var logBeta = GammaFunction.LogGamma(0.5) + GammaFunction.LogGamma(half) - GammaFunction.LogGamma(half + 0.5);
        return Math.Exp((half * LogSpace.Log1P(-at.Gamma * at.Gamma)) - logBeta) / (Dimension - 1) * at.Lean;
    }

    /// <summary>The component along the input, of a uniform point of the cap: density ∝ (1 − t²)^((d−3)/2) on [γ, 1].</summary>
    private double NextAbove(IRandomSource random)
    {
        var gamma = cap.Gamma;
        if (Dimension == 2)
        {
            return Math.Cos(Math.Acos(gamma) * random.NextDouble());
        }

        if (Dimension == 3)
        {
            return gamma + ((1 - gamma) * random.NextDouble());
        }

        if (cap.CapMass > 0.2)
        {
            while (true)
            {
                var t = NextOnSphere(random);
                if (t >= gamma)
                {
                    return t;
                }
            }
        }

        // The logarithm of the density is concave: its tangent at γ, an exponential, lies above it.
        var power = (Dimension - 3) / 2.0;
        var rate = 2 * power * gamma / (1 - (gamma * gamma));
        while (true)
        {
            var t = gamma - (Math.Log(1 - random.NextDouble()) / rate);
            if (t < 1 && Math.Log(1 - random.NextDouble()) < (power * LogSpace.Log1P(-((t * t) - (gamma * gamma)) / (1 - (gamma * gamma)))) + (rate * (t - gamma)))
            {
                return t;
            }
        }
    }

    private double NextBelow(IRandomSource random)
    {
        while (true)
        {
            var t = NextOnSphere(random);
            if (t < cap.Gamma)
            {
                return t;
            }
        }
    }

    /// <summary>One coordinate of a uniform point of the sphere: z/√(z² + χ²_(d−1)).</summary>
    private double NextOnSphere(IRandomSource random)
    {
        var z = random.NextNormal();
        return z / Math.Sqrt((z * z) + (2 * GammaSampler.Next(random, (Dimension - 1) / 2.0)));
    }
}
