using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting;

/// <summary>Rényi differential privacy of a mechanism at several orders: an upper bound of D_α between neighbouring outputs, each α.</summary>
/// <remarks>
/// Mironov, "Rényi Differential Privacy", CSF 2017: composition, also adaptive, adds the curves. Conversion to (ε, δ): Canonne, Kamath,
/// Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, proposition 12, which improves on Mironov's: every (α, r)
/// gives ε = r + ln(1 − 1/α) − (ln δ + ln α)/(α − 1). Immutable; O(orders) for everything.
/// </remarks>
public sealed class RdpCurve
{
    private readonly double[] orders;
    private readonly double[] divergences;

    internal RdpCurve(double[] orders, double[] divergences)
    {
        this.orders = orders;
        this.divergences = divergences;
    }

    /// <value>The orders α, as configured.</value>
    public ReadOnlySpan<double> Orders => orders;

    /// <value>The bounds of D_α in nats, one for each order.</value>
    public ReadOnlySpan<double> Divergences => divergences;

    /// <summary>The curve of nothing having happened.</summary>
    public static RdpCurve Zero(IReadOnlyList<double> orders) => new([.. orders], new double[orders.Count]);

    /// <summary>The curve of this mechanism run <paramref name="count"/> times, and then the other one <paramref name="otherCount"/> times.</summary>
    public RdpCurve Compose(RdpCurve other, double otherCount = 1, double count = 1)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!orders.AsSpan().SequenceEqual(other.orders))
        {
            throw new PrivacyException("Rényi curves at unlike orders cannot be composed: evaluate both at the same orders.");
        }

        var sum = new double[orders.Length];
        for (var i = 0; i < sum.Length; i++)
        {
            // 0 · ∞ is nothing, not NaN: a mechanism that never ran costs nothing.
            sum[i] = (count == 0 ? 0 : count * divergences[i]) + (otherCount == 0 ? 0 : otherCount * other.divergences[i]);
        }

        return new RdpCurve(orders, sum);
    }

    /// <summary>The smallest ε that the curve certifies at δ.</summary>
    public double Epsilon(double delta) => BestEpsilon(delta).Epsilon;

    /// <summary>The smallest ε that the curve certifies at δ, and the order that gives it.</summary>
    public (double Epsilon, double Order) BestEpsilon(double delta)
    {
        AccountantGuard.Delta(delta);
        var best = (Epsilon: double.PositiveInfinity, Order: orders[^1]);
        for (var i = 0; i < orders.Length; i++)
        {
            var (alpha, r) = (orders[i], divergences[i]);
            if (r == 0 || delta * delta + LogSpace.ExpM1(-r) >= 0)
            {
                // Bretagnolle–Huber: total variation is at most √(1 − e^−KL), and KL ≤ D_α. Then δ alone covers the mechanism.
                return (0, alpha);
            }

            var epsilon = r + LogSpace.Log1P(-1 / alpha) - (Math.Log(delta) + Math.Log(alpha)) / (alpha - 1);
            best = epsilon < best.Epsilon ? (epsilon, alpha) : best;
        }

        return (Math.Max(0, best.Epsilon), best.Order);
    }

    /// <summary>The smallest δ that the curve certifies at ε.</summary>
    public double Delta(double epsilon)
    {
        AccountantGuard.Epsilon(epsilon);
        var best = 1.0;
        for (var i = 0; i < orders.Length; i++)
        {
            var (alpha, r) = (orders[i], divergences[i]);
            if (double.IsInfinity(r))
            {
                continue;
            }

            var logDelta = (alpha - 1) * (r - epsilon + LogSpace.Log1P(-1 / alpha)) - Math.Log(alpha);
            best = Math.Min(best, Math.Min(Math.Exp(logDelta), Math.Sqrt(-LogSpace.ExpM1(-r))));
        }

        return best;
    }
}
