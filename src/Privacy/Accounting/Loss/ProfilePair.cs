using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>A dominating pair known by its hockey-stick divergences D_ε(P‖Q) = sup_E P(E) − e^ε·Q(E).</summary>
/// <remarks>
/// Discretised by "connecting the dots" (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, "Connect the Dots: Tighter Discrete Approximations
/// of Privacy Loss Distributions", PoPETs 2022): the trade-off δ as a function of e^ε is replaced by the chords between grid points,
/// which lie above it because it is convex, and the masses are the second differences. For ε ≤ 0 the differences are taken of
/// δ(ε) − (1 − e^ε) = e^ε·D_−ε(Q‖P), which drops a part that contributes exactly zero and would otherwise round to 10⁻⁸ of phantom mass.
/// </remarks>
internal abstract class ProfilePair : DominatingPair
{
    /// <summary>Tails beyond this many standard deviations have probability below 10⁻²³.</summary>
    protected const double TailDeviations = 10;

    /// <summary>D_ε(P‖Q) for ε ≥ 0.</summary>
    public abstract double Forward(double epsilon);

    /// <summary>D_ε(Q‖P) for ε ≥ 0.</summary>
    public abstract double Reverse(double epsilon);

    /// <inheritdoc/>
    public override DominatingPair PoissonSampled(double probability) => new PoissonSampledPair(this, probability);

    /// <inheritdoc/>
    public override (LossMasses Forward, LossMasses Reverse) Discretize(double step)
    {
        // A bounded loss that is a whole number of cells must not gain a cell by rounding.
        var above = Math.Max(1, (int)Math.Ceiling(MaximumLoss / step - 1e-9));
        var below = Math.Max(1, (int)Math.Ceiling(-MinimumLoss / step - 1e-9));
        var forward = new double[above + 1];
        var reverse = new double[below + 1];
        for (var i = 0; i <= above; i++)
        {
            forward[i] = Forward(i * step);
        }

        for (var i = 0; i <= below; i++)
        {
            reverse[i] = Reverse(i * step);
        }

        // The top values are the probability of an infinite loss; below the rounding of the loss itself they are none.
        forward[above] = forward[above] < 1e-30 ? 0 : forward[above];
        reverse[below] = reverse[below] < 1e-30 ? 0 : reverse[below];
        return (Connect(forward, reverse, step), Connect(reverse, forward, step));
    }

    /// <summary>Masses at −below … above from divergences at the grid's non-negative points.</summary>
    private static LossMasses Connect(double[] forward, double[] reverse, double step)
    {
        var above = forward.Length - 1;
        var below = reverse.Length - 1;
        var mass = new double[above + below + 1];
        var toLeft = 1 / -LogSpace.ExpM1(-step);
        var toRight = 1 / LogSpace.ExpM1(step);
        for (var i = 1; i < above; i++)
        {
            mass[below + i] = Math.Max(0, (forward[i - 1] - forward[i]) * toLeft - (forward[i] - forward[i + 1]) * toRight);
        }

        mass[below + above] = Math.Max(0, (forward[above - 1] - forward[above]) * toLeft);

        var right = reverse[0];
        var here = Math.Exp(-step) * reverse[1];
        mass[below] = Math.Max(0, 1 + (here - right) * toLeft - (forward[0] - forward[1]) * toRight);
        for (var i = 1; i < below; i++)
        {
            var left = Math.Exp(-(i + 1) * step) * reverse[i + 1];
            mass[below - i] = Math.Max(0, (left - here) * toLeft - (here - right) * toRight);
            (right, here) = (here, left);
        }

        // The lowest point is joined to (e^ε, δ) = (0, 1).
        mass[0] = Math.Max(0, (right - here) * toRight - here);
        return new LossMasses(step, -below, mass, forward[above]);
    }
}
