namespace Federated.Privacy.Shuffle.Optimization;

/// <summary>A convex, L-Lipschitz loss of one point w for each of n users: what stochastic convex optimisation minimises the mean of.</summary>
public interface IUserLoss
{
    /// <summary>n.</summary>
    int Users { get; }

    /// <summary>d.</summary>
    int Dimension { get; }

    /// <summary>L: ‖∂ℓ_i(w)‖₂ ≤ L for every user and point. Gradients are clipped to it, so privacy never rests on it.</summary>
    double Lipschitz { get; }

    /// <summary>ℓ_i(w).</summary>
    double Value(int user, ReadOnlySpan<double> point);

    /// <summary>A subgradient of ℓ_i at w.</summary>
    void Gradient(int user, ReadOnlySpan<double> point, Span<double> gradient);

    /// <summary>argmin_v ℓ_i(v) + (smoothness/2)‖v − w‖²: the proximal point, from which the Moreau envelope's gradient is smoothness·(w − v).</summary>
    void Proximal(int user, double smoothness, ReadOnlySpan<double> point, Span<double> result);
}
