namespace Federated.Privacy.Accounting.Loss;

/// <summary>N(1, z²) against N(0, z²): the Gaussian mechanism of noise multiplier z.</summary>
internal sealed class GaussianPair(double noiseMultiplier) : ProfilePair
{
    public override double MinimumLoss => -MaximumLoss;

    public override double MaximumLoss => 0.5 / (noiseMultiplier * noiseMultiplier) + TailDeviations / noiseMultiplier;

    public override bool IsSymmetric => true;

    public override double Forward(double epsilon) => AnalyticGaussian.HockeyStick(noiseMultiplier, epsilon);

    public override double Reverse(double epsilon) => Forward(epsilon);
}
