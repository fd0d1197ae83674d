namespace Federated.Training.LocalTraining;

/// <summary>Counts steps and sums losses; FedNova's ‖a‖₁ by its recurrences.</summary>
/// <remarks>
/// Wang et al. 2020, section 4, and the authors' code: momentum c ← ρ·c + 1; A ← A·(1 − η·μ) + c, with μ the strength of a proximal term.
/// With Nesterov's form a step weighs 1 + ρ·c.
/// </remarks>
/// <param name="shrink">η·μ; 0 without a proximal term.</param>
/// <param name="momentum">ρ.</param>
/// <param name="nesterov">Nesterov's form of the momentum.</param>
public struct LocalProgress(double shrink, double momentum, bool nesterov = false)
{
    private double lossSum;
    private double momentumWeight;
    private double stepWeight;
    private bool isFinite = true;

    /// <summary>Steps so far.</summary>
    public int Steps { get; private set; }

    public readonly LocalResult Result => new(Steps, lossSum / Steps, stepWeight, isFinite);

    /// <summary>Counts a step; false when the training has diverged and must stop.</summary>
    /// <param name="loss">Of the mini-batch, before the step.</param>
    public bool Add(double loss)
    {
        Steps++;
        lossSum += loss;
        momentumWeight = (momentum * momentumWeight) + 1;
        stepWeight = (stepWeight * (1 - shrink)) + (nesterov ? 1 + (momentum * momentumWeight) : momentumWeight);
        isFinite = double.IsFinite(loss);
        return isFinite;
    }
}
