using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>A composed loss distribution under its tilted measure: the probability of loss e is mass·e^(K − θe).</summary>
/// <param name="cells">Tilted probabilities; entry j mod length belongs to grid index j of the window.</param>
/// <param name="low">Grid index of the window's lower end.</param>
/// <param name="step">h: width of a cell.</param>
/// <param name="theta">θ ≥ 0.</param>
/// <param name="logMoment">K = ln E[e^(θL)].</param>
/// <param name="lost">Tilted probability outside the window, or wrapped into it.</param>
/// <param name="cellError">Bound of one cell's rounding error.</param>
internal sealed class TiltedLoss(double[] cells, long low, double step, double theta, double logMoment, double lost, double cellError)
{
    /// <summary>A single loss, as it is: nothing was transformed, so nothing is charged.</summary>
    public static TiltedLoss Untilted(LossMasses masses)
    {
        var length = masses.Mass.Length;
        var cells = new double[length];
        for (var i = 0; i < length; i++)
        {
            cells[Position(masses.Low + (long)i, length)] = masses.Mass[i];
        }

        return new TiltedLoss(cells, masses.Low, masses.Step, 0, 0, 0, 0);
    }

    /// <summary>Upper bound of Σ_{e &gt; ε} P(e)·(1 − e^(ε−e)).</summary>
    public double Delta(double epsilon)
    {
        var first = Math.Max(low, (long)Math.Floor(epsilon / step) + 1);
        var sum = new CompensatedSum();
        for (var j = low + cells.Length - 1; j >= first; j--)
        {
            var mass = Cell(j);
            if (mass > 0)
            {
                sum.Add(-LogSpace.ExpM1(epsilon - j * step) * mass * Math.Exp(logMoment - theta * j * step));
            }
        }

        return sum.Value + Charge(epsilon);
    }

    /// <summary>The smallest ε ≥ 0 whose bound is at most delta.</summary>
    /// <remarks>
    /// From the top down with S = Σ P(e) and W = Σ P(e)·e^(e_j−e): at a grid point δ = S − e^(−h)W, and inside the cell where δ is crossed
    /// S − e^(ε−e_j)·W = δ is solved in closed form.
    /// </remarks>
    public double Epsilon(double delta)
    {
        var (sum, weighted) = (0.0, 0.0);
        var decay = Math.Exp(-step);
        var growth = Math.Exp(theta * step);
        var density = 0.0;
        var top = low + cells.Length - 1;
        for (var j = top; ; j--)
        {
            // Here sum and weighted hold the cells above j.
            var point = j * step;
            var charge = Charge(Math.Max(0, point));
            if (sum - decay * weighted + charge > delta)
            {
                // Above every cell only the charge is left, which falls as e^(−θε).
                return Math.Max(0, weighted > 0
                    ? point + step + Math.Log((sum + charge - delta) / weighted)
                    : Math.Max(0, point) + step + Math.Log(charge / delta) / theta);
            }

            if (j < low)
            {
                return Math.Max(0, point + step);
            }

            if (point <= 0)
            {
                return 0;
            }

            // e^(K − θe) by recurrence, restarted often enough that its rounding stays below 10⁻¹⁴.
            density = (top - j) % 64 == 0 ? Math.Exp(logMoment - theta * point) : density * growth;
            var probability = Cell(j) * density;
            sum += probability;
            weighted = probability + decay * weighted;
        }
    }

    /// <summary>What the window, the wrap-around and rounding may have hidden.</summary>
    private double Charge(double epsilon)
    {
        var reach = theta == 0 ? cells.Length : Math.Min(cells.Length, 1 / -LogSpace.ExpM1(-theta * step));
        return (lost + cellError * reach) * Math.Exp(logMoment - theta * epsilon);
    }

    private double Cell(long index) => Math.Max(0, cells[Position(index, cells.Length)]);

    private static int Position(long index, int length)
    {
        var position = (int)(index % length);
        return position < 0 ? position + length : position;
    }
}
