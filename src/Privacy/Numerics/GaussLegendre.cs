namespace Federated.Privacy.Numerics;

/// <summary>Gauss–Legendre quadrature with n nodes per panel: exact for polynomials of degree 2n − 1, every weight positive.</summary>
/// <remarks>Nodes by Newton's method on the Legendre recurrence from Tricomi's starting points; they are good to the last digit.</remarks>
internal sealed class GaussLegendre
{
    private readonly double[] nodes;
    private readonly double[] weights;

    public GaussLegendre(int count)
    {
        nodes = new double[count];
        weights = new double[count];
        for (var i = 0; i < count; i++)
        {
            var x = Math.Cos(Math.PI * (i + 0.75) / (count + 0.5));
            double slope;
            double move;
            do
            {
                var (value, previous) = (1.0, 0.0);
                for (var k = 1; k <= count; k++)
                {
                    (value, previous) = (((2 * k - 1) * x * value - (k - 1) * previous) / k, value);
                }

                slope = count * (x * value - previous) / (x * x - 1);
                move = value / slope;
                x -= move;
            }
            while (Math.Abs(move) > 1e-15);

            nodes[i] = x;
            weights[i] = 2 / ((1 - x * x) * slope * slope);
        }
    }

    /// <summary>Twenty nodes: a smooth integrand over one unit of its scale is integrated to the last digit.</summary>
    public static GaussLegendre Twenty { get; } = new(20);

    /// <summary>The nodes on [−1, 1].</summary>
    public ReadOnlySpan<double> Nodes => nodes;

    /// <summary>The weights belonging to <see cref="Nodes"/>; they add to 2.</summary>
    public ReadOnlySpan<double> Weights => weights;

    /// <summary>∫ f over [from, to], split into <paramref name="panels"/> equal panels.</summary>
    public double Integrate(Func<double, double> f, double from, double to, int panels = 1)
    {
        var half = 0.5 * (to - from) / panels;
        var sum = 0.0;
        for (var panel = 0; panel < panels; panel++)
        {
            var middle = from + (2 * panel + 1) * half;
            for (var i = 0; i < nodes.Length; i++)
            {
                sum += weights[i] * f(middle + half * nodes[i]);
            }
        }

        return sum * half;
    }
}
