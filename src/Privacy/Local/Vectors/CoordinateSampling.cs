using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// Reports k coordinates chosen at random, each through a scalar randomiser at ε/k and multiplied by d/k, the rest zero. Which
/// coordinates were chosen does not depend on the data.
/// </summary>
/// <remarks>
/// Wang et al., ICDE 2019, Algorithm 4, https://arxiv.org/abs/1907.00782: k = max(1, min(d, ⌊ε/2.5⌋)).
/// Var = (d/k)(Var_scalar + t²) − t². Cost: O(k) and d zeros.
/// </remarks>
public sealed class CoordinateSampling : IBoxRandomizer
{
    private readonly IScalarRandomizer scalar;

    /// <param name="scalarName">One of <see cref="ScalarRandomizers"/>.</param>
    /// <param name="epsilon">ε of the whole report.</param>
    /// <param name="dimension">d.</param>
    public CoordinateSampling(string scalarName, double epsilon, int dimension)
    {
        LocalEpsilon.Check(epsilon);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        Dimension = dimension;
        Sampled = Math.Clamp((int)Math.Floor(epsilon / 2.5), 1, dimension);
        scalar = ScalarRandomizers.Create(scalarName, epsilon / Sampled);
    }

    public string Name => $"sampled-{scalar.Name}";

    public double Epsilon => scalar.Epsilon * Sampled;

    public int Dimension { get; }

    /// <summary>k.</summary>
    public int Sampled { get; }

    public double Variance(double value) => ((double)Dimension / Sampled * (scalar.Variance(value) + (value * value))) - (value * value);

    public void Randomize(ReadOnlySpan<double> values, Span<double> report, IRandomSource random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Dimension, nameof(values));
        var chosen = random.NextSubset(Dimension, Sampled);
        Span<double> kept = stackalloc double[Math.Min(Sampled, 64)];
        kept = Sampled > 64 ? new double[Sampled] : kept;
        for (var i = 0; i < chosen.Length; i++)
        {
            kept[i] = scalar.Randomize(values[chosen[i]], random) * Dimension / Sampled;
        }

        report.Clear();
        for (var i = 0; i < chosen.Length; i++)
        {
            report[chosen[i]] = kept[i];
        }
    }
}
