using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Scalars;

/// <summary>
/// Laplace noise of scale 2/ε on a value in [−1, 1], on a grid of 2⁻²⁰ so that the law is exact: the report is a grid point and every grid
/// point is reachable from every value.
/// </summary>
/// <remarks>
/// Dwork, McSherry, Nissim, Smith, TCC 2006. Deviation: the value is first rounded at random to the grid (unbiased), and the noise is
/// discrete Laplace. Variance 8/ε² (to 10⁻¹²). Cost: O(1).
/// </remarks>
public sealed class LaplaceRandomizer : IScalarRandomizer
{
    private const int GridBits = 20;
    private readonly DiscreteLaplace noise;

    public LaplaceRandomizer(double epsilon)
    {
        LocalEpsilon.Check(epsilon);
        noise = DiscreteLaplace.ForEpsilon(epsilon, 2UL << GridBits);
    }

    public string Name => ScalarRandomizers.Laplace;

    public double Epsilon => noise.Decay * (2L << GridBits);

    public double OutputBound => double.PositiveInfinity;

    public double Variance(double value)
    {
        var position = Math.ScaleB(value, GridBits);
        var fraction = position - Math.Floor(position);
        return Math.ScaleB(noise.Variance + (fraction * (1 - fraction)), -2 * GridBits);
    }

    public double Randomize(double value, IRandomSource random)
    {
        ScalarRandomizers.CheckValue(value);
        return Math.ScaleB(checked(random.NextRounded(Math.ScaleB(value, GridBits)) + noise.Next(random)), -GridBits);
    }
}
