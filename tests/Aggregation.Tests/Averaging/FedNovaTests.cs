using Federated.Aggregation.Averaging;
using static Federated.Aggregation.Tests.ScalarFixture;

namespace Federated.Aggregation.Tests.Averaging;

public class FedNovaTests
{
    private static double Round(FedNova<double> aggregator, double model, double rate, params int[] steps)
    {
        var gradient = new double[1];
        for (var client = 0; client < 2; client++)
        {
            aggregator.Add(Contribution(client, [Delta(client, model, steps[client], rate)], Examples[client], steps[client]));
        }

        aggregator.Combine(gradient);
        return model + gradient[0];
    }

    /// <summary>algorithms.md §H1.</summary>
    [Fact]
    public void Follows_the_golden_rounds()
    {
        var (aggregator, model) = (new FedNova<double>(1), Start);
        foreach (var expected in new[] { -0.288253625, -0.7632419153, -0.9383734823 })
        {
            model = Round(aggregator, model, Rate, 2, 5);
            Near(expected, model);
        }
    }

    [Theory]
    [InlineData(0.1, -1.040659219)]
    [InlineData(0.01, -1.369651971)]
    [InlineData(0.001, -1.397023532)]
    public void Tends_to_the_true_optimum_as_the_local_rate_shrinks(double rate, double fixedPoint)
    {
        var (aggregator, model) = (new FedNova<double>(1), Start);
        for (var round = 0; round < 5 / rate; round++)
        {
            model = Round(aggregator, model, rate, 2, 5);
        }

        Near(fixedPoint, model);
    }

    [Fact]
    public void With_equal_steps_is_FedAvg()
    {
        var (nova, mean, model) = (new FedNova<double>(1), new WeightedMean<double>(1), Start);
        var gradient = new double[1];
        for (var round = 0; round < 5; round++)
        {
            for (var client = 0; client < 2; client++)
            {
                mean.Add(Contribution(client, [Delta(client, model, 4)], Examples[client], 4));
            }

            mean.Combine(gradient);
            var next = Round(nova, model, Rate, 4, 4);
            Assert.Equal(model + gradient[0], next, 1e-12);
            model = next;
        }
    }

    [Fact]
    public void Takes_the_reported_step_weight_before_the_steps()
    {
        var aggregator = new FedNova<double>(1);
        aggregator.Add(new Contribution<double>(0, [8.0], 1) { LocalSteps = 2, StepWeight = 4 });
        aggregator.Add(new Contribution<double>(1, [3.0], 1) { LocalSteps = 3 });
        var gradient = new double[1];
        var report = aggregator.Combine(gradient);
        Assert.Equal(3.5 * ((8.0 / 4) + (3.0 / 3)) / 2, gradient[0], 1e-12);
        Assert.Equal(3.5 * (0.25 + (1 / 3.0)) / 2, report.WeightSum, 1e-12);
    }

    [Fact]
    public void Can_average_local_steps_instead_as_the_authors_code_does()
    {
        var aggregator = new FedNova<double>(1, new FedNovaOptions { EffectiveSteps = EffectiveSteps.LocalSteps });
        aggregator.Add(new Contribution<double>(0, [8.0], 1) { LocalSteps = 2, StepWeight = 4 });
        aggregator.Add(new Contribution<double>(1, [3.0], 1) { LocalSteps = 3 });
        var gradient = new double[1];
        aggregator.Combine(gradient);
        Assert.Equal(2.5 * ((8.0 / 4) + (3.0 / 3)) / 2, gradient[0], 1e-12);
    }

    [Fact]
    public void Clients_that_do_not_report_steps_are_named()
    {
        var aggregator = new FedNova<double>(1);
        Assert.Contains("client 7", Assert.Throws<AggregationException>(() => aggregator.Add(new Contribution<double>(7, [1.0], 1))).Message);
        Assert.Equal(0, aggregator.Count);
    }

    public class Local_solver_weight
    {
        [Theory]
        [InlineData(1, 1)]
        [InlineData(2, 2.9)]
        [InlineData(5, 13.1441)]
        public void Of_momentum_follows_the_golden_values_and_the_closed_form(int steps, double expected)
        {
            Near(expected, LocalSolverWeight.Of(steps, momentum: 0.9));
            var closed = (steps - (0.9 * (1 - Math.Pow(0.9, steps)) / 0.1)) / 0.1;
            Assert.Equal(closed, LocalSolverWeight.Of(steps, momentum: 0.9), 1e-9);
        }

        [Fact]
        public void Of_a_proximal_term_follows_the_golden_value_and_the_closed_form()
        {
            Near(4.0951, LocalSolverWeight.Of(5, proximal: 0.1));
            Assert.Equal((1 - Math.Pow(0.9, 5)) / 0.1, LocalSolverWeight.Of(5, proximal: 0.1), 1e-12);
        }

        [Fact]
        public void Of_plain_steps_is_their_number() => Assert.Equal(17, LocalSolverWeight.Of(17));
    }
}
