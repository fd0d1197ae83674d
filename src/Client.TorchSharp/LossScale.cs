namespace Federated.Client.TorchSharp;

/// <summary>
/// The factor that keeps float16 gradients from vanishing: as large as the gradients allow. Where they overflow, the batch is computed
/// again at half the scale, so that no step is left out.
/// </summary>
/// <remarks>
/// Micikevicius et al., "Mixed Precision Training", ICLR 2018, https://arxiv.org/abs/1710.03740, section 3.2, with the constants of
/// PyTorch's GradScaler (2¹⁶, doubled after 2000 good steps). Deviation: a step that overflows is repeated, not skipped. It starts anew
/// with every task, so that a task's result depends on the task alone.
/// </remarks>
internal sealed class LossScale(bool isNeeded)
{
    private const double Initial = 65536;
    private const int GrowthInterval = 2000;

    private int good;

    public double Value { get; private set; } = isNeeded ? Initial : 1;

    public void Reset() => (Value, good) = (isNeeded ? Initial : 1, 0);

    /// <summary>Whether the step may be taken; otherwise the batch is to be computed again.</summary>
    public bool Accepts(bool isFinite)
    {
        if (!isNeeded || (!isFinite && Value <= 1))
        {
            return true; // Without a scale left to lower, the gradient itself is not finite: the training has diverged.
        }

        if (!isFinite)
        {
            (Value, good) = (Value / 2, 0);
            return false;
        }

        if (++good == GrowthInterval)
        {
            (Value, good) = (Value * 2, 0);
        }

        return true;
    }
}
