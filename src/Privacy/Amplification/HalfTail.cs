using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>The tail Pr[Bin(m, ½) ≥ k] for k above m/2, moved along slowly changing (m, k) by recurrence.</summary>
internal struct HalfTail
{
    private const int AnchorEvery = 4096;

    // Subtracting steps keep an absolute error near 10⁻¹⁶ of the tail at the last anchor, per step.
    private const double LargestFall = 1e-3;

    private long trials;
    private long threshold;
    private double anchored;
    private int steps;

    /// <summary>Pr[Bin(m, ½) ≥ k].</summary>
    public double Tail { get; private set; }

    /// <summary>Pr[Bin(m, ½) = k − 1].</summary>
    public double Before { get; private set; }

    /// <summary>Moves to m trials and threshold k ≥ 1.</summary>
    /// <param name="m">Trials, at least 0.</param>
    /// <param name="k">Threshold, above m/2.</param>
    public void MoveTo(long m, long k)
    {
        if (m != trials + 1 || Math.Abs(k - threshold) > 4 || Before == 0 || Tail < LargestFall * anchored || ++steps == AnchorEvery)
        {
            Anchor(m, k);
            return;
        }

        // m → m + 1: the tail gains half of the mass just below the threshold.
        Tail += 0.5 * Before;
        Before *= m / (2.0 * (m + 1 - threshold));
        trials = m;
        while (threshold < k)
        {
            var at = Before * (m - threshold + 1) / threshold;
            Tail -= at;
            Before = at;
            threshold++;
        }

        while (threshold > k)
        {
            Tail += Before;
            threshold--;
            Before *= threshold / (m - threshold + 1.0);
        }
    }

    private void Anchor(long m, long k)
    {
        (trials, threshold) = (m, k);
        Before = BinomialDistribution.Pmf(k - 1, m, 0.5);
        (Tail, anchored, steps) = (0, 0, 0);
        if (k > m)
        {
            return;
        }

        var term = Before == 0 ? 0 : Before * (m - k + 1) / k;
        for (var j = k; term > Tail * 1e-17; j++)
        {
            Tail += term;
            term *= (m - j) / (j + 1.0);
        }

        anchored = Tail;
    }
}
