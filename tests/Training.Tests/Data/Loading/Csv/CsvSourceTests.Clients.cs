using Federated.Training.Data;
using Federated.Training.Data.Loading.Csv;

namespace Federated.Training.Tests.Data.Loading.Csv;

/// <content>Who holds which row.</content>
public sealed partial class CsvSourceTests
{
    public sealed class Clients : IDisposable
    {
        private readonly CsvSourceTests outer = new();

        public void Dispose() => outer.Dispose();

        private CsvSourceOptions TwoFiles()
        {
            outer.folder.Write("north.csv", string.Concat(Enumerable.Range(0, 50).Select(i => $"{i},0,{i % 2}\n")));
            outer.folder.Write("south.csv", string.Concat(Enumerable.Range(0, 20).Select(i => $"{1000 + i},?,{(i % 4 == 0 ? 1 : 0)}\n")));
            return new CsvSourceOptions
            {
                Files = [new CsvFile { Path = "north.csv" }, new CsvFile { Path = "south.csv", Client = "the south" }],
                Columns = [Number("a"), Number("b") with { Imputation = Imputation.Zero }, Number("label")],
                Label = new CsvLabel { Column = "label" },
                TestShare = 0.2,
            };
        }

        [Fact]
        public void A_file_is_a_client_with_its_own_share_held_out_label_by_label()
        {
            var data = CsvSource.Load(TwoFiles(), outer.folder.Path, seed: 1);

            Assert.Equal(["north", "the south"], data.Clients.Select(c => c.Name));
            Assert.Equal([40, 16], data.Clients.Select(c => c.Train.Length));
            Assert.Equal([10, 4], data.Clients.Select(c => c.Test.Length));
            Assert.Equal([5, 1], data.Clients.Select(c => c.Test.Count(i => data.Test.Labels[i] == 1)));
            Assert.All(data.Clients[1].Test, i => Assert.True(data.Test.Row(i)[0] >= 1000));
            Assert.Equal(Enumerable.Range(0, 14), data.Clients.SelectMany(c => c.Test).Order());
        }

        [Fact]
        public void The_seed_decides_which_rows_are_held_out()
        {
            var options = TwoFiles();

            Assert.Equal(CsvSource.Load(options, outer.folder.Path, 1).Test.Features, CsvSource.Load(options, outer.folder.Path, 1).Test.Features);
            Assert.NotEqual(CsvSource.Load(options, outer.folder.Path, 1).Test.Features, CsvSource.Load(options, outer.folder.Path, 2).Test.Features);
        }

        [Fact]
        public void Fitted_per_client_each_has_mean_zero_and_a_column_it_lacks_is_pooled()
        {
            var options = TwoFiles() with { Fit = CsvFit.PerClient, Columns = [new CsvColumn { Name = "a" }, Number("b"), Number("label")] };

            var data = CsvSource.Load(options, outer.folder.Path, seed: 1);

            Assert.All(data.Clients, c => Assert.Equal(0, c.Train.Average(i => data.Train.Row(i)[0]), 0.0001));
            Assert.All(data.Clients[1].Train, i => Assert.Equal(0, data.Train.Row(i)[1]));
        }

        [Fact]
        public void A_column_may_name_the_client()
        {
            outer.folder.Write("t.csv", string.Concat(Enumerable.Range(0, 40).Select(i => $"{i},{(i % 4 == 0 ? "ann" : "bob")},{i % 2}\n")));
            var options = new CsvSourceOptions
            {
                Files = [new CsvFile { Path = "t.csv" }],
                Columns = [Number("a"), Number("who"), Number("label")],
                Label = new CsvLabel { Column = "label" },
                ClientColumn = "who",
            };

            var data = CsvSource.Load(options, outer.folder.Path, seed: 1);

            Assert.Equal(["ann", "bob"], data.Clients.Select(c => c.Name));
            Assert.Equal([8, 24], data.Clients.Select(c => c.Train.Length));
            Assert.Equal(1, data.Train.FeatureCount);
        }

        [Fact]
        public void Test_files_belong_to_the_client_of_the_same_name_and_else_to_all()
        {
            var options = TwoFiles();
            outer.folder.Write("north-test.csv", "7,0,1\n");
            outer.folder.Write("east-test.csv", "8,0,0\n");
            options = options with { TestFiles = [new CsvFile { Path = "north-test.csv", Client = "north" }, new CsvFile { Path = "east-test.csv" }] };

            var data = CsvSource.Load(options, outer.folder.Path, seed: 1);

            Assert.Equal(70, data.Train.Count);
            Assert.Equal([0], data.Clients[0].Test);
            Assert.Empty(data.Clients[1].Test);
            Assert.Equal([7, 8], Column(data.Test, 0));
        }

        [Fact]
        public void A_client_of_which_nothing_is_left_to_train_on_is_an_error()
        {
            outer.folder.Write("tiny.csv", "1,1,0\n");
            var options = TwoFiles();

            var message = Assert.Throws<TrainingException>(() => CsvSource.Load(options with { Files = [.. options.Files, new CsvFile { Path = "tiny.csv" }], TestShare = 0.6 }, outer.folder.Path, 1)).Message;

            Assert.Contains("all rows of client 'tiny' are held out", message, StringComparison.Ordinal);
        }
    }
}
