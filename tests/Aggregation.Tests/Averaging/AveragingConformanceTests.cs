using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Tests.Averaging;

public class WeightedMeanConformance : AggregatorConformance<float>
{
    protected override IAggregator<float> Create(int dimension) => new WeightedMean<float>(dimension);
}

public class WeightedMeanOfDoublesConformance : AggregatorConformance<double>
{
    protected override IAggregator<double> Create(int dimension) => new WeightedMean<double>(dimension);
}

public class BufferedMeanConformance : AggregatorConformance<float>
{
    protected override IAggregator<float> Create(int dimension) =>
        new WeightedMean<float>(dimension, new WeightedMeanOptions { Normalisation = Normalisation.Count });
}

public class WeightedSumConformance : AggregatorConformance<double>
{
    protected override double ShareOfEqualUpdates => Clients;

    protected override IAggregator<double> Create(int dimension) =>
        new WeightedMean<double>(dimension, new WeightedMeanOptions { Normalisation = Normalisation.None });
}

public class FedNovaConformance : AggregatorConformance<float>
{
    protected override IAggregator<float> Create(int dimension) => new FedNova<float>(dimension);
}
