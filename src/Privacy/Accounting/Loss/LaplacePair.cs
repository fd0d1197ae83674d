using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>Laplace(1, b) against Laplace(0, b); the loss lies in [−1/b, 1/b].</summary>
internal sealed class LaplacePair(double noiseMultiplier) : ProfilePair
{
    public override double MinimumLoss => -1 / noiseMultiplier;

    public override double MaximumLoss => 1 / noiseMultiplier;

    public override bool IsSymmetric => true;

    public override double Forward(double epsilon)
    {
        var gap = 1 / noiseMultiplier - epsilon;
        return gap <= 1e-12 ? 0 : -LogSpace.ExpM1(-0.5 * gap);
    }

    public override double Reverse(double epsilon) => Forward(epsilon);
}
