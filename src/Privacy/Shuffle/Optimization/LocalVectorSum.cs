using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle.Optimization;

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
