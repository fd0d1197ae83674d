using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>A dominating pair of discrete distributions, outcome by outcome.</summary>
/// <remarks>
/// Discretisation splits each outcome's probability between the two neighbouring grid points so that its probability under both P and Q
/// is kept. That is the connect-the-dots rule for one outcome, and involves no cancellation.
/// </remarks>
/// <param name="p">Probabilities under P of outcomes possible under both.</param>
/// <param name="q">Probabilities under Q of the same outcomes.</param>
/// <param name="loss">ln(P/Q) of the same outcomes; given separately because it is often known better than the quotient.</param>
/// <param name="onlyP">Probability under P of what Q cannot produce, or of what was cut off.</param>
/// <param name="onlyQ">The same for Q.</param>
internal sealed class AtomicPair(double[] p, double[] q, double[] loss, double onlyP = 0, double onlyQ = 0) : DominatingPair
{
    public override double MinimumLoss { get; } = loss.Min();

    public override double MaximumLoss { get; } = loss.Max();

    public ReadOnlySpan<double> P => p;

    public ReadOnlySpan<double> Q => q;

    public ReadOnlySpan<double> Loss => loss;

    public override (LossMasses Forward, LossMasses Reverse) Discretize(double step) =>
        (Split(p, loss, 1, onlyP, step), Split(q, loss, -1, onlyQ, step));

    public override DominatingPair PoissonSampled(double probability)
    {
        // Outcomes that only Q had are now possible under both, at the loss ln(1 − q).
        var extra = onlyQ > 0 && probability < 1 ? 1 : 0;
        var (mixed, base_, losses) = (new double[p.Length + extra], new double[p.Length + extra], new double[p.Length + extra]);
        for (var i = 0; i < p.Length; i++)
        {
            base_[i] = q[i];
            mixed[i] = (1 - probability) * q[i] + probability * p[i];
            losses[i] = loss[i] < 30
                ? LogSpace.Log1P(probability * LogSpace.ExpM1(loss[i]))
                : LogSpace.Add(Math.Log(probability) + loss[i], Math.Log(1 - probability));
        }

        if (extra == 1)
        {
            (base_[^1], mixed[^1], losses[^1]) = (onlyQ, (1 - probability) * onlyQ, LogSpace.Log1P(-probability));
        }

        return new AtomicPair(mixed, base_, losses, probability * onlyP, extra == 1 ? 0 : onlyQ);
    }

    private static LossMasses Split(double[] mass, double[] loss, int sign, double infinity, double step)
    {
        var (smallest, largest) = sign > 0 ? (loss.Min(), loss.Max()) : (-loss.Max(), -loss.Min());
        var low = (int)Math.Floor(smallest / step + 1e-9);
        var high = (int)Math.Ceiling(largest / step - 1e-9);
        var cells = new double[Math.Max(1, high - low + 1)];
        var unit = 1 / LogSpace.ExpM1(-step);
        for (var i = 0; i < mass.Length; i++)
        {
            var position = sign * loss[i];
            var cell = (int)Math.Floor(position / step + 1e-9);
            var upper = Math.Clamp(LogSpace.ExpM1(cell * step - position) * unit, 0, 1);
            cells[cell - low] += mass[i] * (1 - upper);
            if (upper > 0)
            {
                cells[Math.Min(cell + 1 - low, cells.Length - 1)] += mass[i] * upper;
            }
        }

        return new LossMasses(step, low, cells, infinity);
    }
}
