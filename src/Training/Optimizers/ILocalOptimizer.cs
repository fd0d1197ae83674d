using System.Numerics;

namespace Federated.Training.Optimizers;

/// <summary>Turns gradients into local steps. State lasts for one assignment; nothing is carried from one client to the next.</summary>
public interface ILocalOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    string Name { get; }

    /// <summary>
    /// The shrinking factor ρ of the displacement's dependence on past gradients: after k steps the last displacement is a sum of the
    /// gradients so far with weights that the recurrence c ← ρ·c + 1 gives. FedNova's ‖a‖₁ sums them. 0 for plain SGD.
    /// </summary>
    double Momentum { get; }

    /// <summary>Forgets all state.</summary>
    void Reset();

    /// <summary>Applies one step in place.</summary>
    /// <param name="parameters">d parameters.</param>
    /// <param name="gradient">d coordinates; may be overwritten.</param>
    /// <param name="rate">η of this step.</param>
    void Step(Span<T> parameters, Span<T> gradient, double rate);
}
