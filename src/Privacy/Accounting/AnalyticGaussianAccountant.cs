namespace Federated.Privacy.Accounting;

/// <summary>Exact accountant of compositions that consist of Gaussian releases only, without sampling.</summary>
/// <remarks>See <see cref="AnalyticGaussian"/>; O(number of distinct releases).</remarks>
public sealed class AnalyticGaussianAccountant : IPrivacyAccountant
{
    /// <inheritdoc/>
    public string Name => Accountants.AnalyticGaussian;

    /// <inheritdoc/>
    public double Epsilon(PrivacyEvent privacyEvent, double delta)
    {
        AccountantGuard.Delta(delta);
        var noiseMultiplier = Merge(privacyEvent);
        return double.IsPositiveInfinity(noiseMultiplier) ? 0
            : delta == 0 ? double.PositiveInfinity
            : AnalyticGaussian.Epsilon(noiseMultiplier, delta);
    }

    /// <inheritdoc/>
    public double Delta(PrivacyEvent privacyEvent, double epsilon)
    {
        AccountantGuard.Epsilon(epsilon);
        return AnalyticGaussian.Delta(Merge(privacyEvent), epsilon);
    }

    private static double Merge(PrivacyEvent privacyEvent) => AnalyticGaussian.Compose(EventTree.Flatten(privacyEvent).Select(part =>
        part.Leaf is GaussianEvent gaussian
            ? (gaussian.NoiseMultiplier, part.Count)
            : throw new PrivacyException(
                $"The {Accountants.AnalyticGaussian} accountant composes Gaussian releases without sampling only, but there is a "
                + $"{part.Leaf.GetType().Name}: use {Accountants.Pld} or {Accountants.Rdp}.")));
}
