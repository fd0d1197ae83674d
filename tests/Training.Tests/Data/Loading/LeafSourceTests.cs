using Federated.Training.Data;
using Federated.Training.Data.Loading;

namespace Federated.Training.Tests.Data.Loading;

public sealed class LeafSourceTests : IDisposable
{
    private const string TwoUsers = """
        {"users": ["u1", "u2"], "num_samples": [2, 1],
         "user_data": {"u1": {"x": [[1, 2.5], [3, -4e0]], "y": [0, 1]}, "u2": {"y": [2], "x": [[5, 6]]}}}
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private FederatedData Load(string train, string? test = null, LeafSourceOptions? options = null)
    {
        folder.Write("train/a.json", train);
        folder.Write("test.json", test ?? TwoUsers);
        return LeafSource.Load((options ?? new LeafSourceOptions()) with { Train = ["train"], Test = ["test.json"] }, folder.Path);
    }

    private string Failure(string train, string? test = null) => Assert.Throws<TrainingException>(() => Load(train, test)).Message;

    [Fact]
    public void Users_become_clients_with_their_training_and_test_examples()
    {
        var data = Load(TwoUsers, """{"users":["u2","new"],"num_samples":[1,1],"user_data":{"u2":{"x":[[7,8]],"y":[1]},"new":{"x":[[9,9]],"y":[0]}}}""");

        Assert.Equal([1, 2.5f, 3, -4, 5, 6], data.Train.Features);
        Assert.Equal([0, 1, 2], data.Train.Labels);
        Assert.Equal(3, data.Train.Classes);
        Assert.Equal(["u1", "u2"], data.Clients.Select(c => c.Name));
        Assert.Equal([[0, 1], [2]], data.Clients.Select(c => c.Train));
        Assert.Equal([[], [0]], data.Clients.Select(c => c.Test));
        Assert.Equal(2, data.Test.Count);
    }

    [Fact]
    public void Several_files_are_read_in_the_order_of_their_names()
    {
        folder.Write("train/b.json", """{"users":["u3"],"num_samples":[1],"user_data":{"u3":{"x":[[7,8]],"y":[1]}}}""");

        Assert.Equal(["u1", "u2", "u3"], Load(TwoUsers).Clients.Select(c => c.Name));
    }

    [Fact]
    public void Unknown_properties_are_skipped_and_nested_examples_flattened()
    {
        var data = Load(
            """{"hierarchies": [{"deep": [1, [2]]}], "users":["u"],"num_samples":[1],"user_data":{"u":{"x":[[[1,2],[3,4]]],"y":[1], "z": {"a": null}}}}""",
            """{"users":["u"],"num_samples":[1],"user_data":{"u":{"x":[[[1,2],[3,4]]],"y":[0]}}}""",
            new LeafSourceOptions { ExampleShape = [1, 2, 2] });

        Assert.Equal([1, 2, 3, 4], data.Train.Features);
        Assert.Equal([1, 2, 2], data.Train.ExampleShape.AsEnumerable());
    }

    [Fact]
    public void Texts_become_symbols_and_their_next_character_the_label()
    {
        const string Text = """{"users":["ROMEO"],"num_samples":[1],"user_data":{"ROMEO":{"x":["ab\n\u0041"],"y":["c"]}}}""";

        var data = Load(Text, Text);

        Assert.Equal("ab\nA".Select(c => (float)TextAlphabet.Encode(c)), data.Train.Features);
        Assert.Equal([TextAlphabet.Encode('c')], data.Train.Labels);
        Assert.Equal(TextAlphabet.Size, data.Train.Classes);
    }

    [Fact]
    public void A_file_larger_than_the_buffer_is_read_token_by_token()
    {
        var rows = Enumerable.Range(0, 3000).Select(i => $"[{string.Join(", ", Enumerable.Range(0, 30).Select(j => ((i * j) % 1000) / 8.0))}]");
        var x = string.Join(",\n", rows);
        var y = string.Join(",", Enumerable.Range(0, 3000).Select(i => i % 5));
        var text = "{\"users\":[\"u\"],\"num_samples\":[3000],\"user_data\":{\"u\":{\"x\":[" + x + "],\"y\":[" + y + "]}}}";
        Assert.True(text.Length > 5 * 64 * 1024);

        var data = Load(text, text);

        Assert.Equal(3000, data.Train.Count);
        Assert.Equal((2999 * 29 % 1000) / 8f, data.Train.Row(2999)[29]);
    }

    public sealed class Malformed : IDisposable
    {
        private readonly LeafSourceTests outer = new();

        public void Dispose() => outer.Dispose();

        [Theory]
        [InlineData("""{"users": ["u1"], "num_samples": [1], "user_data": {"u1": {"x": [[1, 2]""")]
        [InlineData("""{"users": """)]
        [InlineData("")]
        [InlineData("not json")]
        public void A_file_cut_short_or_not_json_is_an_error_with_the_offset(string text)
        {
            var message = outer.Failure(text);

            Assert.Contains("a.json", message, StringComparison.Ordinal);
            Assert.Contains("byte", message, StringComparison.Ordinal);
        }

        [Fact]
        public void Another_number_of_samples_than_stated_is_an_error() =>
            Assert.Contains(
                "user 'u1' is listed with 3 samples; user_data has 2",
                outer.Failure(TwoUsers.Replace("[2, 1]", "[3, 1]", StringComparison.Ordinal)),
                StringComparison.Ordinal);

        [Fact]
        public void A_listed_user_without_data_is_an_error() =>
            Assert.Contains("3 users are listed", outer.Failure(TwoUsers.Replace("\"u1\", ", "\"u0\", \"u1\", ", StringComparison.Ordinal)), StringComparison.Ordinal);

        [Fact]
        public void Examples_of_different_widths_are_an_error() =>
            Assert.Contains(
                "an example of 2 features, as the first has, of user 'u2' is needed; there is one of 3",
                outer.Failure(TwoUsers.Replace("[5, 6]", "[5, 6, 7]", StringComparison.Ordinal)),
                StringComparison.Ordinal);

        [Fact]
        public void More_labels_than_examples_are_an_error() =>
            Assert.Contains("2 x and 3 y", outer.Failure(TwoUsers.Replace("[0, 1]", "[0, 1, 1]", StringComparison.Ordinal)), StringComparison.Ordinal);

        [Theory]
        [InlineData("-1")]
        [InlineData("0.5")]
        [InlineData("1e30")]
        public void A_label_that_is_no_class_is_an_error(string label) =>
            Assert.Contains("a label that is a whole number from 0", outer.Failure(TwoUsers.Replace("[0, 1]", $"[0, {label}]", StringComparison.Ordinal)), StringComparison.Ordinal);

        [Fact]
        public void A_label_beyond_the_classes_is_an_error() =>
            Assert.Contains(
                "labels must be in 0..1",
                Assert.Throws<TrainingException>(() => outer.Load(TwoUsers, null, new LeafSourceOptions { Classes = 2 })).Message,
                StringComparison.Ordinal);

        [Theory]
        [InlineData("null")]
        [InlineData("\"text\"")]
        [InlineData("{}")]
        [InlineData("1e39")]
        public void A_feature_that_is_no_number_is_an_error(string feature) =>
            Assert.Contains("a number in an example of user 'u2'", outer.Failure(TwoUsers.Replace("[5, 6]", $"[5, {feature}]", StringComparison.Ordinal)), StringComparison.Ordinal);

        [Fact]
        public void The_same_user_in_two_files_is_an_error()
        {
            outer.folder.Write("train/b.json", TwoUsers);

            Assert.Contains("'u1' again", outer.Failure(TwoUsers), StringComparison.Ordinal);
        }

        [Fact]
        public void Test_examples_of_another_width_are_an_error() =>
            Assert.Contains(
                "training examples have 2 features, test examples 1",
                outer.Failure(TwoUsers, """{"users":["u"],"num_samples":[1],"user_data":{"u":{"x":[1],"y":[0]}}}"""),
                StringComparison.Ordinal);
    }
}
