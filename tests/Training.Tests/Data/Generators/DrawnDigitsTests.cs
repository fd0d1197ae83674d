using System.Numerics.Tensors;
using Federated.Training.Data;
using Federated.Training.Data.Generators;

namespace Federated.Training.Tests.Data.Generators;

public static class DrawnDigitsTests
{
    private static readonly DrawnDigitsOptions Small = new() { Writers = 20, TrainPerWriter = 60, TestPerWriter = 10 };

    public sealed class Determinism
    {
        [Fact]
        public void The_same_seed_draws_the_same_bits_and_another_seed_others()
        {
            var first = DrawnDigits.Generate(Small, seed: 3);
            var second = DrawnDigits.Generate(Small, seed: 3);
            var other = DrawnDigits.Generate(Small, seed: 4);

            Assert.Equal(first.Train.Features, second.Train.Features);
            Assert.Equal(first.Test.Labels, second.Test.Labels);
            Assert.NotEqual(first.Train.Features, other.Train.Features);
        }

        [Fact]
        public void A_writer_draws_the_same_however_many_others_there_are()
        {
            var few = DrawnDigits.Generate(Small with { Writers = 2 }, seed: 3);
            var many = DrawnDigits.Generate(Small, seed: 3);

            Assert.Equal(few.Train.Features, many.Train.Features[..few.Train.Features.Length]);
        }
    }

    public sealed class Shape
    {
        [Theory]
        [InlineData(28)]
        [InlineData(16)]
        [InlineData(13)]
        public void Every_writer_is_a_client_with_its_own_images(int size)
        {
            var data = DrawnDigits.Generate(Small with { Size = size }, seed: 1);

            Assert.Equal([1, size, size], data.Train.ExampleShape.AsEnumerable());
            Assert.Equal(20, data.Clients.Count);
            Assert.Equal(Enumerable.Range(0, data.Train.Count), data.Clients.SelectMany(c => c.Train));
            Assert.Equal(Enumerable.Range(0, data.Test.Count), data.Clients.SelectMany(c => c.Test));
            Assert.All(data.Train.Features, value => Assert.InRange(value, 0f, 1f));
        }

        [Fact]
        public void Digits_are_drawn_within_the_picture()
        {
            // Without noise the border row of pixels is all but empty: what lies there was cut off.
            var data = DrawnDigits.Generate(Small with { Noise = 0 }, seed: 2);
            var (border, total) = (0.0, 0.0);
            for (var i = 0; i < data.Train.Count; i++)
            {
                var image = data.Train.Row(i);
                for (var p = 0; p < image.Length; p++)
                {
                    var (y, x) = (p / 28, p % 28);
                    total += image[p];
                    border += y is 0 or 27 || x is 0 or 27 ? image[p] : 0;
                }
            }

            Assert.InRange(border / total, 0, 0.01);
        }

        [Fact]
        public void All_ten_digits_are_equally_frequent()
        {
            var data = DrawnDigits.Generate(Small with { Writers = 100 }, seed: 5);
            var counts = new double[10];
            foreach (var label in data.Train.Labels)
            {
                counts[label]++;
            }

            // χ² with 9 degrees of freedom exceeds 33.7 with probability 1e-4.
            var expected = data.Train.Count / 10.0;
            Assert.InRange(counts.Sum(c => (c - expected) * (c - expected) / expected), 0, 33.7);
        }
    }

    public sealed class Heterogeneity
    {
        [Fact]
        public void Separates_writers_when_high_and_makes_them_alike_when_zero()
        {
            // Of 30 threes per writer 1/30 of the variance is between writers by chance, give or take 1/30·√(2/60) = 0.006.
            Assert.InRange(BetweenWriterShare(0), 0, 0.06);
            Assert.InRange(BetweenWriterShare(1), 0.5, 1.1);
        }

        [Fact]
        public void Leaves_the_pooled_images_distributed_alike()
        {
            // Ink of 400 writers × 10 images. At heterogeneity 1 a writer's ten images share one pen, so 400 count: standard errors are
            // about 1.5 % of the mean (its spread is 30 %) and 12 % of the variance (kurtosis up to 7); five are 8 % and 60 %.
            var options = new DrawnDigitsOptions { Writers = 400, TrainPerWriter = 10, TestPerWriter = 1, Noise = 0, Size = 12 };
            var (noneMean, noneVariance) = InkMoments(DrawnDigits.Generate(options with { Heterogeneity = 0 }, 8).Train);
            var (fullMean, fullVariance) = InkMoments(DrawnDigits.Generate(options with { Heterogeneity = 1 }, 8).Train);

            Assert.InRange(fullMean / noneMean, 0.92, 1.08);
            Assert.InRange(fullVariance / noneVariance, 0.62, 1.6);
        }

        private static (double Mean, double Variance) InkMoments(DataSet set)
        {
            var inks = Enumerable.Range(0, set.Count).Select(i => (double)Sum(set, i)).ToArray();
            var mean = inks.Average();
            return (mean, inks.Average(x => (x - mean) * (x - mean)));
        }

        /// <summary>The share of the variance of ink, for the digit 3, that lies between writers.</summary>
        private static double BetweenWriterShare(double heterogeneity)
        {
            var options = new DrawnDigitsOptions { Writers = 60, TrainPerWriter = 300, TestPerWriter = 1, Noise = 0, Size = 12, Heterogeneity = heterogeneity };
            var data = DrawnDigits.Generate(options, seed: 11);
            var inks = data.Clients
                .Select(client => client.Train.Where(i => data.Train.Labels[i] == 3).Select(i => (double)Sum(data.Train, i)).ToArray())
                .ToArray();
            var mean = inks.SelectMany(x => x).Average();
            var total = inks.SelectMany(x => x).Average(x => (x - mean) * (x - mean));
            var between = inks.Average(writer => (writer.Average() - mean) * (writer.Average() - mean));
            return between / total;
        }

        private static float Sum(DataSet set, int index)
        {
            var sum = 0f;
            foreach (var value in set.Row(index))
            {
                sum += value;
            }

            return sum;
        }
    }

    public sealed class Task
    {
        [Fact]
        public void Is_learnable_but_not_by_the_nearest_mean_alone()
        {
            // The nearest class mean is the weakest sensible classifier: well above chance, well below what a network reaches.
            var data = DrawnDigits.Generate(new DrawnDigitsOptions { Writers = 20 }, seed: 6);
            var means = Enumerable.Range(0, 10).Select(_ => new float[784]).ToArray();
            var counts = new int[10];
            for (var i = 0; i < data.Train.Count; i++)
            {
                counts[data.Train.Labels[i]]++;
                TensorPrimitives.Add(means[data.Train.Labels[i]], data.Train.Row(i), means[data.Train.Labels[i]]);
            }

            for (var c = 0; c < 10; c++)
            {
                TensorPrimitives.Divide(means[c], counts[c], means[c]);
            }

            var correct = 0;
            for (var i = 0; i < data.Test.Count; i++)
            {
                var (nearest, at) = (float.MaxValue, -1);
                for (var c = 0; c < 10; c++)
                {
                    var distance = TensorPrimitives.Distance(means[c], data.Test.Row(i));
                    (nearest, at) = distance < nearest ? (distance, c) : (nearest, at);
                }

                correct += at == data.Test.Labels[i] ? 1 : 0;
            }

            Assert.InRange((double)correct / data.Test.Count, 0.55, 0.85);
        }
    }

    [Fact]
    public static void More_pixels_than_an_array_holds_are_refused_before_allocating() =>
        Assert.Contains(
            "one data set holds at most",
            Assert.Throws<TrainingException>(() => DrawnDigits.Generate(Small with { Writers = 1_000_000, TrainPerWriter = 1_000_000 }, 1)).Message,
            StringComparison.Ordinal);
}
