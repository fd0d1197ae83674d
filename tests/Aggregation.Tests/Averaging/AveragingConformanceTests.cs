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
    protected override (double Least, double Most) WeightSum =>
        (Enumerable.Range(0, Clients).Average(Weight), Enumerable.Range(0, Clients).Average(Weight));

    protected override IAggregator<float> Create(int dimension) =>
        new WeightedMean<float>(dimension, new WeightedMeanOptions { Normalisation = Normalisation.Count });
}

public class WeightedSumConformance : AggregatorConformance<double>
{
    protected override double ShareOfEqualUpdates => Clients;

    protected override (double Least, double Most) WeightSum =>
        (Enumerable.Range(0, Clients).Sum(Weight), Enumerable.Range(0, Clients).Sum(Weight));

    protected override IAggregator<double> Create(int dimension) =>
        new WeightedMean<double>(dimension, new WeightedMeanOptions { Normalisation = Normalisation.None });
}

public class FedNovaConformance : AggregatorConformance<float>
{
    // τ_eff·Σ p_i/a_i, with τ_eff = Σ p_i·a_i.
    protected override (double Least, double Most) WeightSum
    {
        get
        {
            var clients = Enumerable.Range(0, Clients).ToList();
            var total = clients.Sum(Weight);
            var sum = clients.Sum(i => Weight(i) * Steps(i)) / total * (clients.Sum(i => Weight(i) / Steps(i)) / total);
            return (sum, sum);
        }
    }

    protected override IAggregator<float> Create(int dimension) => new FedNova<float>(dimension);
}
