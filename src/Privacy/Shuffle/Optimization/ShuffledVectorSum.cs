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
