using Federated.Aggregation.Randomness;
using Federated.Training.Data.Partitioning;

namespace Federated.Training.Tests.Data.Partitioning;

/// <summary>The distributions behind the label-skewed partitioners.</summary>
public static class LabelSkewTests
{
    private static int[][] Counts(LabelPartition options, int[] labels, int classes, int clients, ulong seed) =>
        Labels.Count(Partitioners.Create(options).Partition(labels, classes, clients, new SeededRandom(seed)), labels, classes);

    /// <summary>Mean number of classes that a client holds.</summary>
    private static double MeanClasses(int[][] counts) => counts.Average(client => client.Count(n => n > 0));

    /// <summary>χ² of the table clients × classes against independence.</summary>
    private static double ChiSquare(int[][] counts)
    {
        var total = (double)counts.Sum(c => c.Sum());
        var classTotals = Enumerable.Range(0, counts[0].Length).Select(c => (double)counts.Sum(k => k[c])).ToArray();
        return counts.Sum(k => k.Select((n, c) => (n, Expected: k.Sum() * classTotals[c] / total)).Sum(x => Math.Pow(x.n - x.Expected, 2) / x.Expected));
    }

    public sealed class Iid
    {
        [Fact]
        public void Labels_are_independent_of_clients()
        {
            // χ² with (20 − 1)·(10 − 1) = 171 degrees of freedom exceeds 250 with probability below 1e-4.
            var counts = Counts(new IidPartition(), Labels.Balanced(10, 1000), 10, 20, seed: 3);

            Assert.InRange(ChiSquare(counts), 100, 250);
        }

        [Fact]
        public void Sizes_differ_by_at_most_one()
        {
            var sizes = Counts(new IidPartition(), Labels.Balanced(10, 100), 10, 7, seed: 3).Select(c => c.Sum()).ToArray();

            Assert.Equal([143, 143, 143, 143, 143, 143, 142], sizes);
        }
    }

    public sealed class ClassWiseDirichlet
    {
        [Fact]
        public void A_large_alpha_makes_clients_alike()
        {
            // α = 10⁶: shares deviate from 1/20 by some 1e-3 relatively, cutting by less than one example; counts are 50 ± 1.
            var counts = Counts(new DirichletPartition { Alpha = 1e6 }, Labels.Balanced(10, 1000), 10, 20, seed: 5);

            Assert.All(counts.SelectMany(c => c), n => Assert.InRange(n, 49, 51));
        }

        [Fact]
        public void A_small_alpha_leaves_clients_few_classes()
        {
            var labels = Labels.Balanced(10, 1000);
            var small = MeanClasses(Counts(new DirichletPartition { Alpha = 0.01 }, labels, 10, 5, seed: 5));
            var large = MeanClasses(Counts(new DirichletPartition { Alpha = 100 }, labels, 10, 5, seed: 5));

            Assert.InRange(small, 2, 4.5);
            Assert.Equal(10, large);
        }

        [Fact]
        public void A_client_that_has_its_share_gets_nothing_of_further_classes()
        {
            // A client is below 100 before the class that fills it, so it ends below 100 + 100.
            var labels = Labels.Balanced(10, 100);
            for (var seed = 0UL; seed < 50; seed++)
            {
                var sizes = Counts(new DirichletPartition { Alpha = 0.1, MinExamples = 1 }, labels, 10, 10, seed).Select(c => c.Sum());
                Assert.InRange(sizes.Max(), 100, 199);
            }
        }

        [Fact]
        public void The_minimum_size_is_respected()
        {
            var labels = Labels.Balanced(10, 600);
            for (var seed = 0UL; seed < 20; seed++)
            {
                var sizes = Counts(new DirichletPartition { Alpha = 0.3, MinExamples = 40 }, labels, 10, 20, seed).Select(c => c.Sum());
                Assert.InRange(sizes.Min(), 40, 300);
            }
        }

        [Fact]
        public void A_minimum_that_cannot_be_reached_is_an_error_that_says_how_close_it_came()
        {
            var options = new DirichletPartition { Alpha = 0.01, MinExamples = 45, Attempts = 50 };

            var message = Assert.Throws<TrainingException>(() => Counts(options, Labels.Balanced(10, 100), 10, 20, 1)).Message;

            Assert.Contains("after 50 draws no split gives every client at least 45 examples; the best left the smallest client with", message, StringComparison.Ordinal);
            Assert.Contains("Raise alpha", message, StringComparison.Ordinal);
        }

        [Fact]
        public void The_share_of_the_first_class_has_the_moments_of_a_dirichlet()
        {
            // Nothing is full before the first class, so client 0's share of it is one coordinate of Dir(α·1_N):
            // mean 1/N, variance (1/N)(1 − 1/N)/(αN + 1). No draw is rejected (minimum 1, two other balanced classes and α = 1, N = 4, reject
            // seldom, so the moments are compared with 5 % slack besides the sampling error).
            const int N = 4, Repetitions = 4000;
            var labels = Labels.Balanced(3, 300);
            var shares = Enumerable.Range(0, Repetitions)
                .Select(r => Counts(new DirichletPartition { Alpha = 1, MinExamples = 1 }, labels, 3, N, (ulong)r)[0][0] / 300.0)
                .ToArray();
            var mean = shares.Average();
            var variance = shares.Average(s => (s - mean) * (s - mean));

            // Standard errors: mean 0.0031, variance about 1.9e-3·√(2.7/4000)... four of them are 0.0123 and 0.0045 (false alarm 1e-4).
            Assert.InRange(mean, 0.25 - 0.0123, 0.25 + 0.0123);
            Assert.InRange(variance, 0.0375 - 0.0064, 0.0375 + 0.0064);
        }

        [Fact]
        public void The_usual_setting_of_the_literature_succeeds()
        {
            var counts = Counts(new DirichletPartition { Alpha = 0.1 }, Labels.Balanced(10, 6000), 10, 100, seed: 1);

            Assert.InRange(counts.Min(c => c.Sum()), 10, 600);
        }
    }

    public sealed class ClientWiseDirichlet
    {
        [Fact]
        public void Sizes_are_as_asked_and_every_example_is_used_once()
        {
            var labels = Labels.Balanced(10, 500);
            var shards = Partitioners.Create(new ClientDirichletPartition { Alpha = 0.05 }).Partition(labels, 10, 50, new SeededRandom(9));

            Assert.All(shards, s => Assert.Equal(100, s.Length));
            Labels.AssertExactCover(shards, 5000);
        }

        [Fact]
        public void A_large_alpha_makes_clients_alike()
        {
            // Like sampling without replacement: χ² below that of independence, (50 − 1)·(10 − 1) = 441 ± 30; beyond 570 with probability 1e-4.
            var counts = Counts(new ClientDirichletPartition { Alpha = 1e6 }, Labels.Balanced(10, 500), 10, 50, seed: 9);

            Assert.InRange(ChiSquare(counts), 300, 570);
        }

        [Fact]
        public void A_small_alpha_leaves_clients_few_classes()
        {
            var labels = Labels.Balanced(10, 500);

            Assert.InRange(MeanClasses(Counts(new ClientDirichletPartition { Alpha = 0.001 }, labels, 10, 10, seed: 2)), 1, 6);
            Assert.Equal(10, MeanClasses(Counts(new ClientDirichletPartition { Alpha = 100 }, labels, 10, 10, seed: 2)));
        }

        [Fact]
        public void A_class_that_runs_out_is_replaced_by_what_is_left()
        {
            // One example of class 1, the rest class 0, and a prior that may ask for class 1 only.
            int[] labels = [1, .. Enumerable.Repeat(0, 99)];
            for (var seed = 0UL; seed < 50; seed++)
            {
                var shards = Partitioners.Create(new ClientDirichletPartition { Alpha = 1e-6 }).Partition(labels, 2, 10, new SeededRandom(seed));
                Labels.AssertExactCover(shards, 100);
            }
        }
    }

    public sealed class DirichletWithReplacement
    {
        [Fact]
        public void The_share_of_a_class_has_the_moments_of_a_dirichlet()
        {
            // Counts are Dirichlet-multinomial: with A = αC = 5, p = 1/C and n examples, the variance of a share is
            // p(1 − p)(n + A)/(n(1 + A)).
            var labels = Labels.Balanced(10, 20_000);
            var shards = Partitioners.Create(new ReplacementDirichletPartition { Alpha = 0.5, ExamplesPerClient = 25 })
                .Partition(labels, 10, 4000, new SeededRandom(21));
            var shares = Labels.Count(shards, labels, 10).Select(c => c[3] / 25.0).ToArray();
            var mean = shares.Average();
            var variance = shares.Average(s => (s - mean) * (s - mean));

            // Expected 0.1 and 0.018; standard errors 0.0021 and about 0.0006: four of them (false alarm 1e-4).
            Assert.InRange(mean, 0.1 - 0.0085, 0.1 + 0.0085);
            Assert.InRange(variance, 0.018 - 0.0024, 0.018 + 0.0024);
        }

        [Fact]
        public void Alpha_zero_gives_every_client_one_class()
        {
            var counts = Counts(new ReplacementDirichletPartition { Alpha = 0 }, Labels.Balanced(10, 100), 10, 50, seed: 4);

            Assert.All(counts, c => Assert.Equal(20, c.Max()));
            Assert.InRange(counts.Select(c => Array.IndexOf(c, 20)).Distinct().Count(), 7, 10);
        }

        [Fact]
        public void There_may_be_more_examples_than_the_set_holds()
        {
            var counts = Counts(new ReplacementDirichletPartition { ExamplesPerClient = 1000 }, Labels.Balanced(10, 10), 10, 5, seed: 4);

            Assert.All(counts, c => Assert.Equal(1000, c.Sum()));
        }
    }

    public sealed class DualDirichlet
    {
        [Fact]
        public void Large_concentrations_make_clients_alike()
        {
            var counts = Counts(new DualDirichletPartition { ClientAlpha = 1e9, ClassAlpha = 1e9 }, Labels.Balanced(10, 1000), 10, 20, seed: 5);

            Assert.All(counts.SelectMany(c => c), n => Assert.InRange(n, 48, 52));
        }

        [Fact]
        public void The_two_dials_turn_size_and_label_skew_apart()
        {
            var labels = Labels.Balanced(10, 1000);
            var sizeSkew = Counts(new DualDirichletPartition { ClientAlpha = 10, ClassAlpha = 1e6 }, labels, 10, 10, seed: 6);
            var labelSkew = Counts(new DualDirichletPartition { ClientAlpha = 1e6, ClassAlpha = 0.5 }, labels, 10, 10, seed: 6);

            Assert.InRange((double)sizeSkew.Max(c => c.Sum()) / sizeSkew.Min(c => c.Sum()), 3, 10_000);
            Assert.InRange(sizeSkew.Average(c => (double)c.Max() / c.Sum()), 0.1, 0.13);
            Assert.InRange(labelSkew.Average(c => (double)c.Max() / c.Sum()), 0.35, 1);
        }
    }

    public sealed class Shards
    {
        [Fact]
        public void As_in_the_paper_clients_hold_600_examples_of_at_most_four_digits()
        {
            // MNIST's own class counts.
            int[] counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
            var labels = counts.SelectMany((n, c) => Enumerable.Repeat(c, n)).ToArray();
            new SeededRandom(1).Shuffle(labels.AsSpan());

            var clients = Counts(new ShardsPartition(), labels, 10, 100, seed: 8);

            Assert.All(clients, c => Assert.Equal(600, c.Sum()));
            Assert.All(clients, c => Assert.InRange(c.Count(n => n > 0), 1, 4));
            Assert.InRange(MeanClasses(clients), 1.8, 2.2);
        }

        [Fact]
        public void A_number_that_does_not_divide_is_an_error_unless_uneven_shards_are_allowed()
        {
            var labels = Labels.Balanced(10, 10)[..99];

            var message = Assert.Throws<TrainingException>(() => Counts(new ShardsPartition(), labels, 10, 10, 1)).Message;

            Assert.Contains("a multiple of 20; it is 99 (19 too many)", message, StringComparison.Ordinal);
            Assert.Equal(99, Counts(new ShardsPartition { Uneven = true }, labels, 10, 10, 1).Sum(c => c.Sum()));
        }
    }

    public sealed class ClassesPerClient
    {
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(3)]
        [InlineData(10)]
        public void Every_client_holds_exactly_k_classes_and_classes_are_held_alike(int k)
        {
            var counts = Counts(new ClassesPerClientPartition { ClassesPerClient = k }, Labels.Balanced(10, 500), 10, 30, seed: 3);

            Assert.All(counts, c => Assert.Equal(k, c.Count(n => n > 0)));
            Assert.All(Enumerable.Range(0, 10), c => Assert.Equal(3 * k, counts.Count(client => client[c] > 0)));
        }

        [Fact]
        public void More_classes_than_there_are_is_an_error() =>
            Assert.Contains(
                "11 classes per client were asked for; the training set has examples of 10",
                Assert.Throws<TrainingException>(() => Counts(new ClassesPerClientPartition { ClassesPerClient = 11 }, Labels.Balanced(10, 500), 10, 30, 3)).Message,
                StringComparison.Ordinal);

        [Fact]
        public void Too_few_clients_to_hold_all_classes_is_an_error() =>
            Assert.Contains(
                "cannot hold all 10 classes",
                Assert.Throws<TrainingException>(() => Counts(new ClassesPerClientPartition(), Labels.Balanced(10, 500), 10, 4, 3)).Message,
                StringComparison.Ordinal);

        [Fact]
        public void A_class_with_fewer_examples_than_holders_is_an_error()
        {
            int[] labels = [.. Enumerable.Repeat(0, 100), 1, 1];

            Assert.Contains(
                "class 1 falls to 10 clients but has 2 examples",
                Assert.Throws<TrainingException>(() => Counts(new ClassesPerClientPartition(), labels, 2, 10, 3)).Message,
                StringComparison.Ordinal);
        }
    }

    public sealed class Similarity
    {
        [Fact]
        public void Zero_percent_is_sorted_and_a_hundred_is_iid()
        {
            var labels = Labels.Balanced(10, 1000);

            Assert.All(Counts(new SimilarityPartition { Percent = 0 }, labels, 10, 10, 5), c => Assert.Equal(1000, c.Max()));
            Assert.InRange(ChiSquare(Counts(new SimilarityPartition { Percent = 100 }, labels, 10, 20, 5)), 100, 250);
        }

        [Fact]
        public void Ten_percent_leaves_the_rest_of_each_client_a_contiguous_run_of_labels()
        {
            // 900 of 1000 are one run of the sorted rest: one or two classes hold at least 90 %.
            var counts = Counts(new SimilarityPartition { Percent = 10 }, Labels.Balanced(10, 1000), 10, 10, 5);

            Assert.All(counts, c => Assert.InRange(c.OrderDescending().Take(2).Sum(), 900, 1000));
            Assert.All(counts, c => Assert.Equal(1000, c.Sum()));
        }
    }

    public sealed class FedProxPowerLaw
    {
        [Fact]
        public void Every_client_holds_two_neighbouring_digits_in_heavy_tailed_amounts()
        {
            var counts = Counts(new FedProxPowerLawPartition(), Labels.Balanced(10, 7000), 10, 1000, seed: 2);

            for (var u = 0; u < 1000; u++)
            {
                Assert.Equal(counts[u].Sum(), counts[u][u % 10] + counts[u][(u + 1) % 10]);
                Assert.True(counts[u][u % 10] >= 5 && counts[u][(u + 1) % 10] >= 5);
            }

            // All but rounding and the last clients of a class that ran out is used (the paper: 69,035 of 70,000).
            var sizes = counts.Select(c => c.Sum()).Order().ToArray();
            Assert.InRange(sizes.Sum(), 60_000, 70_000);
            Assert.InRange(sizes[990] / (double)sizes[500], 10, 1000);
        }

        [Fact]
        public void Clients_must_be_a_multiple_of_the_classes() =>
            Assert.Contains(
                "must be a multiple of the 10 classes (at least 2); it is 15",
                Assert.Throws<TrainingException>(() => Counts(new FedProxPowerLawPartition(), Labels.Balanced(10, 500), 10, 15, 3)).Message,
                StringComparison.Ordinal);
    }
}
