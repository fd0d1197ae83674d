using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle.Optimization;

/// <summary>Clipping and Gaussian noise by a trusted server.</summary>
/// <param name="dimension">d.</param>
/// <param name="bound">Δ.</param>
/// <param name="deviation">Standard deviation of the noise on each coordinate of the sum: multiplier × 2Δ under replace-one.</param>
/// <param name="random">Cryptographic where the guarantee is to hold.</param>
public sealed class CentralVectorSum(int dimension, double bound, double deviation, IRandomSource random) : IVectorSumProtocol
{
    private readonly double[] total = new double[dimension];

    public string Name => "central";

    public int MinimumClients => 1;

    public double NoiseVariance(int clients) => deviation * deviation;

    public void Add(Span<double> vector)
    {
        L2Clip.Apply(vector, bound, maxThreads: 1);
        VectorMath.AddScaled<double>(total, vector, 1);
    }

    public void Release(Span<double> sum)
    {
        GaussianSampler.Fill(sum, deviation, random);
        VectorMath.AddScaled<double>(sum, total, 1);
        total.AsSpan().Clear();
    }
}
