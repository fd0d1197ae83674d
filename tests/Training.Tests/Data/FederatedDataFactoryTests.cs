using Federated.Training.Data;
using Federated.Training.Data.Generators;
using Federated.Training.Data.Partitioning;

namespace Federated.Training.Tests.Data;

public static class FederatedDataFactoryTests
{
    private static readonly DrawnDigitsOptions Digits = new() { Writers = 4, TrainPerWriter = 25, TestPerWriter = 5, Size = 12 };

    public sealed class Partitions
    {
        [Fact]
        public void Natural_is_the_data_s_own_split()
        {
            var data = FederatedDataFactory.Create(new DataOptions { Source = Digits }, "nowhere", seed: 1);

            Assert.Equal(4, data.Clients.Count);
            Assert.Equal("writer 2", data.Clients[2].Name);
        }

        [Fact]
        public void A_label_partition_replaces_the_data_s_own_split()
        {
            var options = new DataOptions { Source = Digits, Partition = new IidPartition { Clients = 7 } };

            var data = FederatedDataFactory.Create(options, "nowhere", seed: 1);

            Assert.Equal(7, data.Clients.Count);
            Assert.Equal(Enumerable.Range(0, 100), data.Clients.SelectMany(c => c.Train).Order());
        }

        [Fact]
        public void More_clients_than_examples_are_impossible()
        {
            var options = new DataOptions { Source = Digits, Partition = new IidPartition { Clients = 101 } };

            var message = Assert.Throws<TrainingException>(() => FederatedDataFactory.Create(options, "nowhere", 1)).Message;

            Assert.Contains("101 clients with at least 1 example each need 101; the training set has 100", message, StringComparison.Ordinal);
        }
    }

    public sealed class Preparation
    {
        [Fact]
        public void Only_the_first_examples_are_used_where_asked()
        {
            var whole = FederatedDataFactory.Create(new DataOptions { Source = Digits }, "", 1);
            var data = FederatedDataFactory.Create(new DataOptions { Source = Digits, TrainExamples = 80, TestExamples = 7 }, "", 1);

            Assert.Equal((80, 7), (data.Train.Count, data.Test.Count));
            Assert.Equal(whole.Train.Features[..data.Train.Features.Length], data.Train.Features);
            Assert.Equal([25, 25, 25, 5], data.Clients.Select(c => c.Train.Length));
            Assert.Equal([5, 2, 0, 0], data.Clients.Select(c => c.Test.Length));
        }

        [Fact]
        public void A_natural_client_that_is_left_with_nothing_is_an_error() =>
            Assert.Contains(
                "client 'writer 3' has no training example left",
                Assert.Throws<TrainingException>(() => FederatedDataFactory.Create(new DataOptions { Source = Digits, TrainExamples = 70 }, "", 1)).Message,
                StringComparison.Ordinal);

        [Fact]
        public void More_than_there_are_is_an_error() =>
            Assert.Contains(
                "trainExamples is 101; data set 'drawn-digits' has 100",
                Assert.Throws<TrainingException>(() => FederatedDataFactory.Create(new DataOptions { Source = Digits, TrainExamples = 101 }, "", 1)).Message,
                StringComparison.Ordinal);

        [Fact]
        public void Standardised_features_have_mean_zero_and_nearly_unit_spread_over_the_training_set()
        {
            var plain = FederatedDataFactory.Create(new DataOptions { Source = Digits }, "", 1);
            var data = FederatedDataFactory.Create(new DataOptions { Source = Digits, Standardize = true }, "", 1);
            var column = Enumerable.Range(0, 100).Select(i => (double)data.Train.Row(i)[70]).ToArray();
            var before = Enumerable.Range(0, 100).Select(i => (double)plain.Train.Row(i)[70]).ToArray();
            var deviation = Math.Sqrt(before.Average(x => Math.Pow(x - before.Average(), 2)));

            Assert.Equal(0, column.Average(), 1e-6);
            Assert.Equal(deviation / (deviation + 0.001), Math.Sqrt(column.Average(x => x * x)), 1e-6);
            Assert.Equal((plain.Test.Row(3)[70] - before.Average()) / (deviation + 0.001), data.Test.Row(3)[70], 1e-5);
        }
    }

    public sealed class Seeds
    {
        [Fact]
        public void The_run_s_seed_changes_data_and_partition_unless_the_data_have_their_own()
        {
            var options = new DataOptions { Source = Digits, Partition = new IidPartition { Clients = 7 } };
            var pinned = options with { Seed = 5 };

            Assert.NotEqual(
                FederatedDataFactory.Create(options, "", 1).Clients[0].Train,
                FederatedDataFactory.Create(options, "", 2).Clients[0].Train);
            Assert.Equal(
                FederatedDataFactory.Create(pinned, "", 1).Clients[0].Train,
                FederatedDataFactory.Create(pinned, "", 2).Clients[0].Train);
        }
    }

    public sealed class Sources
    {
        [Fact]
        public void Neither_set_nor_source_is_an_error_that_lists_the_sets() =>
            Assert.Contains("mnist", Failure(new DataOptions()), StringComparison.Ordinal);

        [Fact]
        public void Both_set_and_source_are_an_error() =>
            Assert.Contains("give one of them", Failure(new DataOptions { Set = "mnist", Source = Digits }), StringComparison.Ordinal);

        [Fact]
        public void An_unknown_set_is_an_error_that_lists_the_sets() =>
            Assert.Contains("drawn-digits", Failure(new DataOptions { Set = "minst" }), StringComparison.Ordinal);

        [RealDataFact("mnist")]
        public void Mnist_has_no_clients_of_its_own() =>
            Assert.Contains("choose another partition.kind", Failure(new DataOptions { Set = "mnist" }), StringComparison.Ordinal);

        [RealDataFact("mnist")]
        public void Mnist_loads_also_with_a_shortened_training_set()
        {
            var options = new DataOptions { Set = "mnist", Partition = new IidPartition { Clients = 100 } };

            var data = FederatedDataFactory.Create(options, RealData.Folder!, 1);

            Assert.Contains(data.Train.Count, new[] { 19_000, 60_000 });
            Assert.Equal(10_000, data.Test.Count);
            Assert.Equal([7, 2, 1, 0, 4, 1, 4, 9, 5, 9], data.Test.Labels[..10]);
            Assert.Equal([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], data.Train.Labels[..10]);
            Assert.All(data.Clients, c => Assert.Equal(data.Train.Count / 100, c.Train.Length));

            // The mean grey of the test images is 0.1325 (33.79 of 255), a constant known for the set.
            Assert.Equal(0.1325, data.Test.Features.Average(), 0.0002);
        }

        private static string Failure(DataOptions options) =>
            Assert.Throws<TrainingException>(() => FederatedDataFactory.Create(options, RealData.Folder ?? "nowhere", 1)).Message;
    }
}
