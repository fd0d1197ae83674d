using Federated.Privacy.Accounting;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Shuffle.Optimization;

namespace Federated.Privacy.Tests.Shuffle;

public static class PrivateConvexOptimizerTests
{
    private const int Dimension = 4;

    private static LinearLoss Problem(LinearLossKind kind, int users)
    {
        using var random = new SimulationRandom(171);
        var rows = new double[users][];
        var targets = new double[users];
        double[] truth = [0.6, -0.4, 0.3, 0.2];
        for (var i = 0; i < users; i++)
        {
            rows[i] = new double[Dimension];
            GaussianSampler.Fill(rows[i].AsSpan(), 0.5, random);
            var z = VectorMath.Dot<double>(rows[i], truth);
            targets[i] = kind == LinearLossKind.Absolute ? z + (0.1 * random.NextNormal()) : z > 0 ? 1 : -1;
        }

        return new LinearLoss(kind, rows, targets, 1);
    }

    private static double Mean(LinearLoss loss, double[] point) => Enumerable.Range(0, loss.Users).Average(i => loss.Value(i, point));

    public sealed class Every_optimiser
    {
        [Theory]
        [InlineData(PrivateOptimizerKind.Sgd, LinearLossKind.Absolute)]
        [InlineData(PrivateOptimizerKind.Accelerated, LinearLossKind.Logistic)]
        [InlineData(PrivateOptimizerKind.Smoothed, LinearLossKind.Hinge)]
        public void Lowers_the_loss_over_the_shuffled_sum_and_more_with_more_users(PrivateOptimizerKind kind, LinearLossKind lossKind)
        {
            var losses = new List<double>();
            foreach (var users in new[] { 1000, 16_000 })
            {
                var loss = Problem(lossKind, users);
                using var random = new SimulationRandom(172);
                var batch = users / 16;
                var protocol = new ShuffledVectorSum(VectorSum.ForGuarantee(Dimension, 1, 64, batch, 2, 1e-6), random);
                var options = new PrivateOptimizerOptions { Kind = kind, BatchSize = batch, Radius = 2, Smoothness = kind == PrivateOptimizerKind.Accelerated ? 0.25 : 0 };
                losses.Add(Mean(loss, new PrivateConvexOptimizer(options).Minimize(loss, protocol)));
            }

            var start = Mean(Problem(lossKind, 1000), new double[Dimension]);
            Assert.True(losses[1] < start * 0.85, $"{start} → {losses[0]} → {losses[1]}");
            Assert.True(losses[1] < losses[0] + 0.02, $"{start} → {losses[0]} → {losses[1]}");
        }

        [Theory]
        [InlineData(PrivateOptimizerKind.Sgd)]
        [InlineData(PrivateOptimizerKind.Smoothed)]
        public void Uses_each_user_once(PrivateOptimizerKind kind)
        {
            var loss = new CountingLoss(Problem(LinearLossKind.Hinge, 103));
            using var random = new SimulationRandom(173);
            var protocol = new CentralVectorSum(Dimension, 1, 0.1, random);
            new PrivateConvexOptimizer(new PrivateOptimizerOptions { Kind = kind, BatchSize = 10 }).Minimize(loss, protocol);
            Assert.All(loss.Uses[..100], uses => Assert.Equal(1, uses));
            Assert.All(loss.Uses[100..], uses => Assert.Equal(0, uses));
        }
    }

    public sealed class Trust_models
    {
        [Fact]
        public void Are_ordered_central_shuffle_local_at_equal_budget()
        {
            const int users = 8000, batch = 500;
            const double epsilon = 1, delta = 1e-6;
            var loss = Problem(LinearLossKind.Logistic, users);
            using var random = new SimulationRandom(174);
            var deviation = 2 * AnalyticGaussian.NoiseMultiplier(epsilon, delta);
            IVectorSumProtocol[] protocols =
            [
                new CentralVectorSum(Dimension, 1, deviation, random),
                new ShuffledVectorSum(VectorSum.ForGuarantee(Dimension, 1, 128, batch, epsilon, delta), random),
                new LocalVectorSum(new LocalUpdateRandomizer<double>(new PrivUnitG<double>(epsilon, Dimension + 1), 1), random),
            ];
            Assert.Equal(protocols[0].NoiseVariance(batch), protocols[1].NoiseVariance(batch), protocols[0].NoiseVariance(batch) * 0.15);
            Assert.True(protocols[2].NoiseVariance(batch) > 10 * protocols[1].NoiseVariance(batch));
            var optimizer = new PrivateConvexOptimizer(new PrivateOptimizerOptions { BatchSize = batch, Radius = 2, StepSize = 2 });
            double[] losses = [.. protocols.Select(p => Enumerable.Range(0, 5).Average(_ => Mean(loss, optimizer.Minimize(loss, p))))];
            Assert.True(losses[1] < losses[2] - 0.005, string.Join(' ', losses));
            Assert.Equal(losses[0], losses[1], 0.03);
        }

        [Fact]
        public void Are_refused_batches_smaller_than_their_guarantee_needs()
        {
            var loss = Problem(LinearLossKind.Logistic, 100);
            using var random = new SimulationRandom(175);
            var protocol = new ShuffledVectorSum(new VectorSum(Dimension, 1, 64, 100, 50), random);
            Assert.Throws<PrivacyException>(() => new PrivateConvexOptimizer(new PrivateOptimizerOptions { BatchSize = 49 }).Minimize(loss, protocol));
            Assert.Throws<PrivacyException>(() => new PrivateConvexOptimizer(new PrivateOptimizerOptions { BatchSize = 101 }).Minimize(loss, protocol));
            Assert.Throws<PrivacyException>(() =>
                new PrivateConvexOptimizer(new PrivateOptimizerOptions { BatchSize = 50, Kind = PrivateOptimizerKind.Accelerated }).Minimize(loss, protocol));
        }
    }

    public sealed class Linear_losses
    {
        [Theory]
        [InlineData(LinearLossKind.Logistic)]
        [InlineData(LinearLossKind.Hinge)]
        [InlineData(LinearLossKind.Absolute)]
        public void Have_gradients_and_proximal_points_that_minimise(LinearLossKind kind)
        {
            var loss = Problem(kind, 50);
            using var random = new SimulationRandom(176);
            var point = new double[Dimension];
            var result = new double[Dimension];
            var gradient = new double[Dimension];
            for (var user = 0; user < 50; user++)
            {
                GaussianSampler.Fill(point.AsSpan(), 1, random);
                loss.Gradient(user, point, gradient);
                Assert.True(Math.Sqrt(VectorMath.Dot<double>(gradient, gradient)) <= loss.Lipschitz + 1e-12);
                var moved = point.Zip(gradient, (x, g) => x - (1e-7 * g)).ToArray();
                Assert.Equal(loss.Value(user, point) - (1e-7 * VectorMath.Dot<double>(gradient, gradient)), loss.Value(user, moved), 1e-12);

                loss.Proximal(user, 3, point, result);
                var best = Objective(loss, user, point, result);
                for (var trial = 0; trial < 20; trial++)
                {
                    GaussianSampler.Fill(gradient.AsSpan(), 0.05, random);
                    Assert.True(best <= Objective(loss, user, point, [.. result.Zip(gradient, (a, b) => a + b)]) + 1e-12);
                }
            }
        }

        private static double Objective(LinearLoss loss, int user, double[] point, double[] v) =>
            loss.Value(user, v) + (1.5 * v.Zip(point, (a, b) => (a - b) * (a - b)).Sum());
    }

    private sealed class CountingLoss(LinearLoss inner) : IUserLoss
    {
        public int[] Uses { get; } = new int[inner.Users];

        public int Users => inner.Users;

        public int Dimension => inner.Dimension;

        public double Lipschitz => inner.Lipschitz;

        public double Value(int user, ReadOnlySpan<double> point) => inner.Value(user, point);

        public void Gradient(int user, ReadOnlySpan<double> point, Span<double> gradient)
        {
            Uses[user]++;
            inner.Gradient(user, point, gradient);
        }

        public void Proximal(int user, double smoothness, ReadOnlySpan<double> point, Span<double> result)
        {
            Uses[user]++;
            inner.Proximal(user, smoothness, point, result);
        }
    }
}
