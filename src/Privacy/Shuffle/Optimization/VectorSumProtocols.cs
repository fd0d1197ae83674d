using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle.Optimization;

/// <summary>P_VEC: trust in the shuffler only.</summary>
public sealed class ShuffledVectorSum(VectorSum protocol, IRandomSource random) : IVectorSumProtocol
{
    private readonly long[] ones = new long[protocol.Dimension];
    private int clients;

    public string Name => "shuffle";

    public int MinimumClients => protocol.MinimumClients;

    public double NoiseVariance(int clients) => protocol.NoiseVariance(clients) + (clients * Math.Pow(protocol.Bound / protocol.Levels, 2));

    public void Add(Span<double> vector)
    {
        protocol.Randomize(vector, ones, random);
        clients++;
    }

    public void Release(Span<double> sum)
    {
        protocol.Analyze(ones, clients, sum);
        ones.AsSpan().Clear();
        clients = 0;
    }
}

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

/// <summary>A local randomiser on each client: trust in nobody.</summary>
public sealed class LocalVectorSum(LocalUpdateRandomizer<double> randomizer, IRandomSource random) : IVectorSumProtocol
{
    private readonly double[] total = new double[randomizer.Dimension];

    public string Name => "local";

    public int MinimumClients => 1;

    public double NoiseVariance(int clients) => clients * randomizer.MeanSquaredError / randomizer.Dimension;

    public void Add(Span<double> vector)
    {
        randomizer.Randomize(vector, random);
        VectorMath.AddScaled<double>(total, vector, 1);
    }

    public void Release(Span<double> sum)
    {
        total.CopyTo(sum);
        total.AsSpan().Clear();
    }
}
