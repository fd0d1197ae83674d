using System.Numerics.Tensors;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Models;

namespace Federated.Coordinator.Tests.Models;

public class AggregateProbeTests
{
    public class Take
    {
        [Fact]
        public void ReturnsTheLengthOfTheUpdate() => Assert.Equal(5, new AggregateProbe<double>(new double[2]).Take([3, 4]), 12);
    }

    public class Publish
    {
        [Fact]
        public void TellsHowFarTheModelMovedSinceTheVersionBefore()
        {
            var probe = new AggregateProbe<double>([1, 1]);
            Assert.Equal(5, probe.Publish([1, 0], [4, 5]).StepNorm, 12);
            Assert.Equal(0, probe.Publish([1, 0], [4, 5]).StepNorm, 12);
        }

        [Fact]
        public void WithAsManySumsAsCoordinatesTheCosineIsExact()
        {
            var probe = new AggregateProbe<double>(new double[2]);
            probe.Take([1, 0]);
            probe.Take([0, 2]);
            Assert.Equal((1 + 0) / 2.0, probe.Publish([3, 0], [0, 0]).Agreement, 12);
            Assert.Equal(double.NaN, probe.Publish([3, 0], [0, 0]).Agreement); // Nothing was folded in since.
        }

        /// <summary>Mean over 32 pairs: standard deviation at most √2/√1024/√32 = 0.008; five of those, so that it never fails by chance.</summary>
        [Fact]
        public void OfLongVectorsItIsRightToAFewHundredths()
        {
            const int d = 200_000;
            var random = SeededRandom.Derive(5, "probe");
            var direction = Gaussian(random, d);
            var probe = new AggregateProbe<float>(new float[d]);
            var exact = 0.0;
            for (var i = 0; i < 32; i++)
            {
                var update = Gaussian(random, d);
                TensorPrimitives.MultiplyAdd<float>(direction, 0.7f, update, update);
                probe.Take(update);
                exact += TensorPrimitives.CosineSimilarity<float>(update, direction) / 32;
            }

            Assert.InRange(exact, 0.5, 0.6);
            Assert.Equal(exact, probe.Publish(direction, new float[d]).Agreement, 0.04);
        }

        private static float[] Gaussian(SeededRandom random, int d)
        {
            var values = new float[d];
            for (var i = 0; i < d; i++)
            {
                values[i] = (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5);
            }

            return values;
        }
    }
}
