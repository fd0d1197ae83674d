using System.Runtime.CompilerServices;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>Adds probabilities at given losses to a symmetric grid, splitting each so that its probability under Q is kept too.</summary>
internal readonly struct CellSplitter(double step, int top, double[] cells)
{
    private readonly double perStep = 1 / step;
    private readonly double unit = 1 / LogSpace.ExpM1(-step);

    /// <summary>ln(P/Q) = 2·artanh(x) from x = (P − Q)/(P + Q), by the series where that is exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double LogRatio(double x)
    {
        if (Math.Abs(x) > 0.03)
        {
            return Math.Log((1 + x) / (1 - x));
        }

        var s = x * x;
        return 2 * x * (1 + s * (1.0 / 3 + s * (0.2 + s * (1.0 / 7 + s * (1.0 / 9 + s * (1.0 / 11))))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(double loss, double mass)
    {
        var cell = (int)Math.Floor(loss * perStep);
        var above = loss - cell * step;
        // −(1 − e^(−above)), by its series for the small steps of a usual grid.
        var fall = above < 1e-3 ? -above * (1 - above * (0.5 - above * (1.0 / 6 - above * (1.0 / 24 - above / 120)))) : LogSpace.ExpM1(-above);
        var upper = mass * Math.Clamp(fall * unit, 0, 1);
        var index = Math.Clamp(cell + top, 0, cells.Length - 1);
        cells[index] += mass - upper;
        cells[Math.Min(index + 1, cells.Length - 1)] += upper;
    }
}
