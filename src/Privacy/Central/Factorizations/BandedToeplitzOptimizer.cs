using System.Collections.Immutable;

namespace Federated.Privacy.Central.Factorizations;

/// <summary>Minimises mean_t Σ_{s≤t} b_s² · ‖c‖² over banded Toeplitz coefficients c: the mean squared error at unit sensitivity.</summary>
/// <remarks>
/// L-BFGS (Nocedal, "Updating Quasi-Newton Matrices with Limited Storage", Math. Comp. 1980) with Armijo backtracking on ln of the loss.
/// Gradient by the adjoint of the triangular solve: with w_s = (n − s)/n, λ solves Cᵀλ = 2·w∘b, and ∂/∂c_j Σ w b² = −Σ_t λ_t b_(t−j).
/// Deterministic. Cost: O(n·bands) an evaluation.
/// </remarks>
internal static class BandedToeplitzOptimizer
{
    private const int Memory = 12;
    private const int MaxIterations = 400;

    public static ImmutableArray<double> Minimize(ImmutableArray<double> start, int steps)
    {
        var x = start.ToArray();
        var gradient = new double[x.Length];
        var value = Evaluate(x, steps, gradient);
        var history = new List<(double[] S, double[] Y, double Rho)>();
        for (var iteration = 0; iteration < MaxIterations && Norm(gradient) > 1e-10; iteration++)
        {
            var direction = Direction(gradient, history);
            var slope = Dot(direction, gradient);
            var next = new double[x.Length];
            var nextGradient = new double[x.Length];
            var nextValue = double.PositiveInfinity;
            for (var step = 1.0; step > 1e-12; step /= 2)
            {
                for (var i = 0; i < x.Length; i++)
                {
                    next[i] = x[i] + (step * direction[i]);
                }

                nextValue = next[0] > 0 ? Evaluate(next, steps, nextGradient) : double.PositiveInfinity;
                if (nextValue <= value + (1e-4 * step * slope))
                {
                    break;
                }

                nextValue = double.PositiveInfinity;
            }

            if (double.IsInfinity(nextValue))
            {
                break;
            }

            var s = Subtract(next, x);
            var y = Subtract(nextGradient, gradient);
            if (Dot(s, y) > 1e-18)
            {
                history.Add((s, y, 1 / Dot(s, y)));
                if (history.Count > Memory)
                {
                    history.RemoveAt(0);
                }
            }

            var gain = value - nextValue;
            (x, gradient, value) = (next, nextGradient, nextValue);
            if (gain < 1e-13)
            {
                break;
            }
        }

        var norm = Norm(x);
        return [.. x.Select(c => c / norm)];
    }

    /// <summary>ln of the loss and its gradient; the loss does not depend on the scale of c.</summary>
    internal static double Evaluate(ReadOnlySpan<double> c, int steps, Span<double> gradient)
    {
        var b = ToeplitzSensitivity.Decoder(c, steps);
        var adjoint = new double[steps];
        var loss = 0.0;
        for (var t = steps - 1; t >= 0; t--)
        {
            var weight = (steps - t) / (double)steps;
            loss += weight * b[t] * b[t];
            var sum = 2 * weight * b[t];
            for (var j = 1; j < c.Length && t + j < steps; j++)
            {
                sum -= c[j] * adjoint[t + j];
            }

            adjoint[t] = sum / c[0];
        }

        var square = Dot(c, c);
        for (var j = 0; j < c.Length; j++)
        {
            var sum = 0.0;
            for (var t = j; t < steps; t++)
            {
                sum += adjoint[t] * b[t - j];
            }

            gradient[j] = (-sum / loss) + (2 * c[j] / square);
        }

        return Math.Log(loss) + Math.Log(square);
    }

    private static double[] Direction(double[] gradient, List<(double[] S, double[] Y, double Rho)> history)
    {
        var q = (double[])gradient.Clone();
        var alphas = new double[history.Count];
        for (var i = history.Count - 1; i >= 0; i--)
        {
            alphas[i] = history[i].Rho * Dot(history[i].S, q);
            AddScaled(q, history[i].Y, -alphas[i]);
        }

        if (history.Count > 0)
        {
            var (s, y, _) = history[^1];
            var scale = Dot(s, y) / Dot(y, y);
            for (var i = 0; i < q.Length; i++)
            {
                q[i] *= scale;
            }
        }

        for (var i = 0; i < history.Count; i++)
        {
            var beta = history[i].Rho * Dot(history[i].Y, q);
            AddScaled(q, history[i].S, alphas[i] - beta);
        }

        for (var i = 0; i < q.Length; i++)
        {
            q[i] = -q[i];
        }

        return q;
    }

    private static void AddScaled(double[] target, double[] source, double factor)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] += factor * source[i];
        }
    }

    private static double[] Subtract(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];

    private static double Norm(ReadOnlySpan<double> x) => Math.Sqrt(Dot(x, x));

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
