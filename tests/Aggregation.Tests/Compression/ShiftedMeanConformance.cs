using Federated.Aggregation.Compression.Feedback;

namespace Federated.Aggregation.Tests.Compression;

public class ShiftedMeanConformance : AggregatorConformance<float>
{
    protected override bool ForgetsAfterCombine => false;

    // Changes of shifts count in full, or the server's shifts would part from the clients'.
    protected override double Weight(int i) => 1;

    protected override IAggregator<float> Create(int dimension) => new ShiftedMean<float>(new ShiftedMeanOptions { Clients = Clients }, dimension);
}
