using Federated.Aggregation.Averaging;
using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Staleness;
using static Federated.Aggregation.Tests.ScalarFixture;

namespace Federated.Aggregation.Tests.Averaging;

/// <summary>algorithms.md §H1: FedAvg with unequal steps, FedBuff and FedAsync, arrival by arrival.</summary>
public class WeightedMeanGoldenTests
{
    [Fact]
    public void FedAvg_with_two_and_five_steps_heads_past_the_optimum()
    {
        var mean = new WeightedMean<double>(1);
        var (model, gradient) = (Start, new double[1]);
        foreach (var expected in new[] { -0.7293425, -1.297522302, -1.484199196 })
        {
            mean.Add(Contribution(0, [Delta(0, model, 2)], Examples[0], 2));
            mean.Add(Contribution(1, [Delta(1, model, 5)], Examples[1], 5));
            mean.Combine(gradient);
            model += gradient[0];
            Near(expected, model);
        }
    }

    [Fact]
    public void FedBuff_divides_by_K_after_scaling_by_staleness()
    {
        var mean = new WeightedMean<double>(1, new WeightedMeanOptions { Normalisation = Normalisation.Count });
        var optimizer = new Sgd<double>();
        var staleness = new PolynomialStaleness();
        var versions = new List<double> { Start };
        var gradient = new double[1];
        foreach (var (client, basis) in new[] { (0, 0), (0, 0), (1, 0), (0, 1), (1, 1), (1, 2) })
        {
            mean.Add(Contribution(client, [Delta(client, versions[basis])], staleness.Of(versions.Count - 1 - basis)));
            if (mean.Count == 2)
            {
                mean.Combine(gradient);
                var model = new[] { versions[^1] };
                optimizer.Step(model, gradient);
                versions.Add(model[0]);
            }
        }

        Assert.Equal(4, versions.Count);
        Near(1.813, versions[1]);
        Near(1.412484767, versions[2]);
        Near(-0.5942175733, versions[3]);
    }

    [Fact]
    public void FedBuff_of_fresh_updates_is_uniform_FedAvg_and_with_example_weights_over_their_mean_it_is_FedAvg()
    {
        var buffered = new WeightedMean<double>(1, new WeightedMeanOptions { Normalisation = Normalisation.Count });
        var mean = new WeightedMean<double>(1);
        var (a, b) = (new double[1], new double[1]);
        foreach (var weights in new double[][] { [1, 1], [10, 30] })
        {
            for (var client = 0; client < 2; client++)
            {
                buffered.Add(Contribution(client, [Delta(client, Start)], weights[client] / weights.Average()));
                mean.Add(Contribution(client, [Delta(client, Start)], weights[client]));
            }

            buffered.Combine(a);
            mean.Combine(b);
            Assert.Equal(b[0], a[0], 1e-12);
        }
    }

    [Fact]
    public void FedAsync_is_a_sum_of_updates_counted_against_the_current_model()
    {
        var mixing = new WeightedMean<double>(1, new WeightedMeanOptions { Normalisation = Normalisation.None });
        var staleness = new PolynomialStaleness();
        var versions = new List<double> { Start };
        var gradient = new double[1];
        var expected = new[] { 1.4878, 0.4446195079, 1.176045116, 0.1843106199 };
        foreach (var (client, basis) in new[] { (0, 0), (1, 0), (0, 1), (1, 2) })
        {
            var local = versions[basis] + Delta(client, versions[basis]);
            mixing.Add(Contribution(client, [local - versions[^1]], 0.6 * staleness.Of(versions.Count - 1 - basis)));
            mixing.Combine(gradient);
            versions.Add(versions[^1] + gradient[0]);
            Near(expected[versions.Count - 2], versions[^1]);

            // Mixing stays on the segment between the two models.
            Assert.InRange(versions[^1], Math.Min(versions[^2], local), Math.Max(versions[^2], local));
        }
    }

    [Fact]
    public void FedAsync_with_alpha_one_and_no_staleness_takes_over_the_clients_model()
    {
        var mixing = new WeightedMean<double>(1, new WeightedMeanOptions { Normalisation = Normalisation.None });
        var gradient = new double[1];
        mixing.Add(Contribution(0, [Delta(0, Start)], 1));
        mixing.Combine(gradient);
        Near(Start + Delta(0, Start), Start + gradient[0]);
    }
}
