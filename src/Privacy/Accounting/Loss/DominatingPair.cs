namespace Federated.Privacy.Accounting.Loss;

/// <summary>
/// Two distributions (P, Q) whose trade-off is at least as bad as that of any neighbouring data sets: P stands for the data set that has
/// the unit, Q for the one without it (or with its replacement).
/// </summary>
/// <remarks>Zhu, Dong, Wang, "Optimal Accounting of Differential Privacy via Characteristic Function", AISTATS 2022, definition 7.</remarks>
internal abstract class DominatingPair
{
    /// <summary>Smallest loss ln(P/Q) that matters; what lies below has probability under 10⁻²³.</summary>
    public abstract double MinimumLoss { get; }

    /// <summary>Largest loss that matters; what lies above has probability under 10⁻²³ and is counted as infinite.</summary>
    public abstract double MaximumLoss { get; }

    /// <summary>Whether exchanging P and Q changes nothing, so that one direction suffices.</summary>
    public virtual bool IsSymmetric => false;

    /// <summary>The losses ln(P/Q) under P and ln(Q/P) under Q on a grid, both rounded against the mechanism.</summary>
    /// <param name="step">h: width of a cell in nats.</param>
    public abstract (LossMasses Forward, LossMasses Reverse) Discretize(double step);

    /// <summary>The pair of the mechanism on a Poisson sample: ((1 − q)Q + qP, Q).</summary>
    public abstract DominatingPair PoissonSampled(double probability);
}
