using Federated.Training.Data;
using Federated.Training.Data.Generators;

namespace Federated.Training.Tests.Data.Generators;

public static class SyntheticTests
{
    public sealed class Sizes
    {
        [Fact]
        public void Are_50_plus_a_lognormal_and_nine_tenths_train()
        {
            var data = Synthetic.Generate(new SyntheticOptions { Clients = 2000, Features = 1, Classes = 2, SizeSigma = 1 }, seed: 1);

            Assert.All(data.Clients, c => Assert.Equal((int)(0.9 * (c.Train.Length + c.Test.Length)), c.Train.Length));
            Assert.All(data.Clients, c => Assert.True(c.Train.Length + c.Test.Length >= 50));

            // log(n − 50 + ½) ~ N(4, 1) up to truncation to whole numbers: standard errors 0.022 and 0.016; five of each, and the truncation.
            var logs = data.Clients.Select(c => Math.Log(c.Train.Length + c.Test.Length - 50 + 0.5)).ToArray();
            var mean = logs.Average();
            Assert.InRange(mean, 4 - 0.12, 4 + 0.12);
            Assert.InRange(Math.Sqrt(logs.Average(l => (l - mean) * (l - mean))), 0.9, 1.1);
        }

        [Fact]
        public void Of_the_paper_s_setting_have_its_order_of_magnitude()
        {
            // E[n] = 50 + exp(4 + 2) = 453; a heavy tail, so only the median is sharp: 50 + exp(4) = 104.6. With 30 clients the sample
            // median's logarithm of the excess has standard error 2·1.2533/√30 = 0.46; four are 1.8.
            var sizes = Synthetic.Generate(new SyntheticOptions(), seed: 1).Clients.Select(c => c.Train.Length + c.Test.Length).Order().ToArray();

            Assert.InRange(Math.Log(sizes[15] - 50), 4 - 1.8, 4 + 1.8);
        }
    }

    public sealed class Inputs
    {
        private static (double Mean, double Variance)[] PerFeature(FederatedData data, ClientShard client) =>
            [.. Enumerable.Range(0, data.Train.FeatureCount).Select(j =>
            {
                var (sum, squares, n) = (0.0, 0.0, client.Train.Length);
                foreach (var i in client.Train)
                {
                    double x = data.Train.Features[(i * data.Train.FeatureCount) + j];
                    sum += x;
                    squares += x * x;
                }

                return (sum / n, (squares - (sum * sum / n)) / (n - 1));
            })];

        [Fact]
        public void Have_variance_j_to_the_minus_1_2()
        {
            var data = Synthetic.Generate(new SyntheticOptions { Clients = 4, MinExamples = 5000, SizeMu = 0, SizeSigma = 0 }, seed: 2);

            // 4500 training examples: relative standard error of a variance √(2/4500) = 2.1 %; 240 checks at five are a false alarm of 1.4e-4.
            foreach (var client in data.Clients)
            {
                var moments = PerFeature(data, client);
                Assert.All(Enumerable.Range(0, 60), j => Assert.InRange(moments[j].Variance * Math.Pow(j + 1, 1.2), 0.895, 1.105));
            }
        }

        [Fact]
        public void Are_centred_with_unit_spread_around_a_client_s_own_centre_of_spread_beta()
        {
            // Mean over features of client k's centre = B_k + N(0, 1/60): over 2000 clients variance β² + 1/60 = 4.0167, relative standard
            // error √(2/2000) = 3.2 %, five are 16 %. (Inputs scatter by less than 0.01 around it.)
            var data = Synthetic.Generate(new SyntheticOptions { Clients = 2000, Classes = 2, Beta = 2, SizeMu = 0, SizeSigma = 0 }, seed: 3);
            var centres = data.Clients.Select(c => PerFeature(data, c)).ToArray();
            var means = centres.Select(c => c.Average(m => m.Mean)).ToArray();
            var within = centres.Select((c, k) => c.Average(m => Math.Pow(m.Mean - means[k], 2))).Average();

            Assert.InRange(means.Average(m => m * m), 4.0167 * 0.84, 4.0167 * 1.16);

            // Within a client the centres spread by 1 (60 of them: 59/60), the mean of 45 inputs adds Σ j^−1.2/(60·45) ≈ 0.0013.
            Assert.InRange(within, 0.96, 1.02);
        }

        [Fact]
        public void Of_the_iid_set_are_centred_on_zero()
        {
            var data = Synthetic.Generate(new SyntheticIidOptions { Clients = 10, MinExamples = 1000, SizeMu = 0, SizeSigma = 0 }, seed: 4);

            // 10 × 60 means of 900: standard error at most 1/30; five are 0.167 (false alarm 3.5e-4 over 600).
            Assert.All(data.Clients.SelectMany(c => PerFeature(data, c)), m => Assert.InRange(m.Mean, -0.167, 0.167));
        }
    }

    public sealed class LabelsOf
    {
        /// <summary>Accuracy of a linear model fitted by thirty epochs of the multiclass perceptron.</summary>
        private static double FitAndScore(FederatedData data, IEnumerable<int> trainOn, IReadOnlyList<int> scoreOn, bool onTrain)
        {
            var d = data.Train.FeatureCount;
            var weights = new double[data.Train.Classes, d + 1];
            int Predict(ReadOnlySpan<float> x)
            {
                var (best, at) = (double.NegativeInfinity, 0);
                for (var c = 0; c < data.Train.Classes; c++)
                {
                    var z = weights[c, d];
                    for (var j = 0; j < d; j++)
                    {
                        z += weights[c, j] * x[j];
                    }

                    (best, at) = z > best ? (z, c) : (best, at);
                }

                return at;
            }

            for (var epoch = 0; epoch < 30; epoch++)
            {
                foreach (var i in trainOn)
                {
                    var x = data.Train.Row(i);
                    var (predicted, y) = (Predict(x), data.Train.Labels[i]);
                    for (var j = 0; predicted != y && j <= d; j++)
                    {
                        var step = j < d ? x[j] : 1;
                        weights[y, j] += step;
                        weights[predicted, j] -= step;
                    }
                }
            }

            var set = onTrain ? data.Train : data.Test;
            return scoreOn.Average(i => Predict(set.Row(i)) == set.Labels[i] ? 1.0 : 0);
        }

        [Fact]
        public void The_iid_set_follow_one_linear_model()
        {
            var data = Synthetic.Generate(new SyntheticIidOptions { Clients = 10, MinExamples = 300, SizeMu = 0, SizeSigma = 0 }, seed: 5);

            Assert.InRange(FitAndScore(data, Enumerable.Range(0, data.Train.Count), [.. Enumerable.Range(0, data.Test.Count)], onTrain: false), 0.85, 1);
        }

        [Fact]
        public void A_heterogeneous_set_follow_a_linear_model_per_client_but_not_one_for_all()
        {
            var data = Synthetic.Generate(new SyntheticOptions { Clients = 40, MinExamples = 100, SizeMu = 0, SizeSigma = 0 }, seed: 6);

            var own = data.Clients.Average(c => FitAndScore(data, c.Train, c.Train, onTrain: true));
            var pooled = FitAndScore(data, Enumerable.Range(0, data.Train.Count), [.. Enumerable.Range(0, data.Train.Count)], onTrain: true);

            Assert.InRange(own, 0.8, 1);
            Assert.InRange((1 - pooled) / (1 - own), 1.4, 100);
        }
    }

    public sealed class Determinism
    {
        [Fact]
        public void The_same_seed_gives_the_same_bits_and_another_others()
        {
            var first = Synthetic.Generate(new SyntheticOptions(), seed: 7);

            Assert.Equal(first.Train.Features, Synthetic.Generate(new SyntheticOptions(), seed: 7).Train.Features);
            Assert.NotEqual(first.Train.Features[..100], Synthetic.Generate(new SyntheticOptions(), seed: 8).Train.Features[..100]);
        }

        [Fact]
        public void All_examples_belong_to_exactly_one_client()
        {
            var data = Synthetic.Generate(new SyntheticOptions(), seed: 7);

            Assert.Equal(Enumerable.Range(0, data.Train.Count), data.Clients.SelectMany(c => c.Train));
            Assert.Equal(Enumerable.Range(0, data.Test.Count), data.Clients.SelectMany(c => c.Test));
        }
    }

    [Fact]
    public static void More_values_than_an_array_holds_are_refused_before_allocating() =>
        Assert.Contains(
            "one data set holds at most",
            Assert.Throws<TrainingException>(() => Synthetic.Generate(new SyntheticOptions { Clients = 100_000 }, 1)).Message,
            StringComparison.Ordinal);
}
