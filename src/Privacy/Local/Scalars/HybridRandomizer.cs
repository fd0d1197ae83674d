using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Scalars;

/// <summary>
/// The hybrid mechanism: the piecewise mechanism with probability 1 − e^(−ε/2), else Duchi's bit; below ε = 0.61 always the bit. The
/// variance is then the same for every value. Which of the two was used says nothing of the value.
/// </summary>
/// <remarks>Wang et al., ICDE 2019, §III-C, https://arxiv.org/abs/1907.00782. Deviation: those of its two parts. Cost: O(1).</remarks>
public sealed class HybridRandomizer : IScalarRandomizer
{
    /// <summary>ε* of the paper, where mixing starts to help.</summary>
    private const double Threshold = 0.61;

    private readonly DuchiRandomizer bit;
    private readonly PiecewiseRandomizer piecewise;
    private readonly double mixing;

    public HybridRandomizer(double epsilon)
    {
        (bit, piecewise) = (new DuchiRandomizer(epsilon), new PiecewiseRandomizer(epsilon));
        mixing = epsilon > Threshold ? 1 - Math.Exp(-epsilon / 2) : 0;
    }

    public string Name => ScalarRandomizers.Hybrid;

    public double Epsilon => mixing == 0 ? bit.Epsilon : Math.Max(bit.Epsilon, piecewise.Epsilon);

    public double OutputBound => mixing == 0 ? bit.OutputBound : Math.Max(bit.OutputBound, piecewise.OutputBound);

    public double Variance(double value) => (mixing * piecewise.Variance(value)) + ((1 - mixing) * bit.Variance(value));

    public double Randomize(double value, IRandomSource random) =>
        mixing > 0 && random.NextDouble() < mixing ? piecewise.Randomize(value, random) : bit.Randomize(value, random);
}
