using Federated.Training.Data;
using Federated.Training.Data.Loading.Csv;

namespace Federated.Training.Tests.Data.Loading.Csv;

public sealed partial class CsvSourceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static CsvColumn Number(string name) => new() { Name = name, Standardize = false };

    private static CsvColumn Category(string name) => new() { Name = name, Kind = CsvColumnKind.Categorical };

    /// <summary>Loads rows a,b,label; the last row is held out.</summary>
    private FederatedData Load(string text, CsvSourceOptions? options = null)
    {
        folder.Write("table.csv", text);
        return CsvSource.Load(
            (options ?? new CsvSourceOptions { Columns = [Number("a"), Number("b"), Number("label")] }) with
            {
                Files = options?.Files is { Count: > 0 } files ? files : [new CsvFile { Path = "table.csv" }],
                Label = options?.Label.Column is { Length: > 0 } ? options.Label : new CsvLabel { Column = "label" },
                TestLast = options is { TestFiles.Count: > 0 } or { TestShare: not 0.2 } ? null : 1,
            },
            folder.Path,
            seed: 1);
    }

    private string Failure(string text, CsvSourceOptions? options = null) => Assert.Throws<TrainingException>(() => Load(text, options)).Message;

    private static float[] Column(DataSet set, int feature) => [.. Enumerable.Range(0, set.Count).Select(i => set.Row(i)[feature])];

    [Theory]
    [InlineData("1,2,0\n3,4,1\n5,6,0\n")]
    [InlineData("1,2,0\r\n3,4,1\r\n5,6,0")]
    [InlineData("1,2,0\r3,4,1\r5,6,0\r")]
    [InlineData("\n1 , 2,0\n\n\"3\",\"4\" ,1\n5,6,0\n\n")]
    [InlineData("\uFEFF1,2,0\n3,4,1\n5,6,0\n")]
    public void Line_ends_blank_lines_blanks_quotes_and_a_byte_order_mark_are_understood(string text)
    {
        var data = Load(text);

        Assert.Equal([1, 2, 3, 4], data.Train.Features);
        Assert.Equal([5, 6], data.Test.Features);
        Assert.Equal([0, 1], data.Train.Labels);
    }

    [Fact]
    public void A_quoted_field_may_hold_delimiters_line_ends_and_quotes()
    {
        var options = new CsvSourceOptions { Columns = [Category("a"), Number("b"), Number("label")] };

        var data = Load("\"x, \"\"y\"\"\nz\",1,0\nplain,2,1\n\"x, \"\"y\"\"\nz\",3,1\n", options);

        // Sorted: plain, then the quoted text.
        Assert.Equal([0, 1, 1, 1, 0, 2], data.Train.Features);
        Assert.Equal([0, 1, 3], data.Test.Features);
    }

    [Fact]
    public void A_field_longer_than_the_read_buffer_is_whole()
    {
        var options = new CsvSourceOptions { Columns = [Category("a"), Number("b"), Number("label")] };
        var longText = new string('x', 100_000);

        var data = Load($"{longText},1,0\nshort,2,1\n\"{longText}\",3,1\n", options);

        Assert.Equal([0, 1, 3], data.Test.Features);
    }

    public sealed class Malformed : IDisposable
    {
        private readonly CsvSourceTests outer = new();

        public void Dispose() => outer.Dispose();

        [Fact]
        public void Too_few_fields_are_named_with_line_and_counts() =>
            Assert.Contains("table.csv, line 3: 3 fields are needed, as in the first record; there are 2", outer.Failure("1,2,0\n3,4,1\n5,6\n"), StringComparison.Ordinal);

        [Fact]
        public void An_unclosed_quote_is_named_with_the_line_it_opens_on() =>
            Assert.Contains("line 2: a quoted field is not closed", outer.Failure("1,2,0\n\"3,4,1\n5,6,0\n"), StringComparison.Ordinal);

        [Fact]
        public void Text_after_a_closing_quote_is_an_error() =>
            Assert.Contains("line 2: 'x' follows a closing quote", outer.Failure("1,2,0\n\"3\"x,4,1\n"), StringComparison.Ordinal);

        [Fact]
        public void Lines_are_counted_across_quoted_line_ends() =>
            Assert.Contains("line 4: column 'b' needs a finite number; there is 'oops'", outer.Failure("1,2,0\n\"3\n\",4,1\n5,oops,1\n", new CsvSourceOptions { Columns = [Category("a"), Number("b"), Number("label")] }), StringComparison.Ordinal);

        [Fact]
        public void A_number_that_is_none_is_named_with_its_column() =>
            Assert.Contains("line 2: column 'b' needs a finite number; there is 'four'", outer.Failure("1,2,0\n3,four,1\n5,6,0\n"), StringComparison.Ordinal);

        [Theory]
        [InlineData("Infinity")]
        [InlineData("1e999")]
        public void An_infinite_number_is_refused(string text) =>
            Assert.Contains("needs a finite number", outer.Failure($"1,2,0\n3,{text},1\n5,6,0\n"), StringComparison.Ordinal);

        [Fact]
        public void A_number_beyond_single_precision_is_refused() =>
            Assert.Contains("too large for a feature", outer.Failure("1,2,0\n3,1e300,1\n5,6,0\n"), StringComparison.Ordinal);

        [Fact]
        public void A_missing_label_is_an_error() =>
            Assert.Contains("line 2: the label (column 'label') is missing", outer.Failure("1,2,0\n3,4,?\n5,6,0\n"), StringComparison.Ordinal);

        [Fact]
        public void A_label_out_of_range_is_an_error_that_lists_the_range() =>
            Assert.Contains(
                "line 2: label '7' (column 'label') is out of range; it must be one of 0, 1",
                outer.Failure("1,2,0\n3,4,7\n5,6,0\n", new CsvSourceOptions { Columns = [Number("a"), Number("b"), Number("label")], Label = new CsvLabel { Column = "label", Values = ["0", "1"] } }),
                StringComparison.Ordinal);

        [Fact]
        public void A_category_that_the_schema_does_not_list_is_an_error() =>
            Assert.Contains(
                "line 3: column 'a' has the category 'z'; the schema's are x, y",
                outer.Failure("x,2,0\ny,4,1\nz,6,0\n", new CsvSourceOptions { Columns = [Category("a") with { Values = ["x", "y"] }, Number("b"), Number("label")] }),
                StringComparison.Ordinal);

        [Fact]
        public void One_class_only_is_an_error() =>
            Assert.Contains("has 1 value; at least 2 classes are needed", outer.Failure("1,2,0\n3,4,0\n"), StringComparison.Ordinal);

        [Fact]
        public void An_empty_file_is_an_error() => Assert.Contains("the file is empty", outer.Failure(""), StringComparison.Ordinal);

        [Fact]
        public void A_schema_of_another_width_is_an_error() =>
            Assert.Contains("line 1: the schema has 3 columns; the file has 4", outer.Failure("1,2,3,0\n"), StringComparison.Ordinal);

        [Fact]
        public void A_column_of_the_file_that_the_schema_lacks_is_an_error() =>
            Assert.Contains(
                "column 'b' is not in the schema",
                outer.Failure("a,b,label\n1,2,0\n3,4,1\n", new CsvSourceOptions { Header = true, Columns = [Number("a")] }),
                StringComparison.Ordinal);

        [Fact]
        public void A_column_of_the_schema_that_the_file_lacks_is_an_error_that_lists_the_file_s() =>
            Assert.Contains(
                "column 'c' (a feature) is not there; the columns are a, b, label",
                outer.Failure("a,b,label\n1,2,0\n3,4,1\n", new CsvSourceOptions { Header = true, Columns = [Number("a"), Number("b"), Number("c")] }),
                StringComparison.Ordinal);

        [Fact]
        public void Text_that_is_not_utf8_is_an_error()
        {
            outer.folder.Write("table.csv", [(byte)'1', 0xFF, (byte)',']);

            Assert.Contains(
                "not UTF-8",
                Assert.Throws<TrainingException>(() => CsvSource.Load(
                    new CsvSourceOptions { Files = [new CsvFile { Path = "table.csv" }], Header = true, Label = new CsvLabel { Column = "x" } }, outer.folder.Path, 1)).Message,
                StringComparison.Ordinal);
        }
    }

    public sealed class Missing : IDisposable
    {
        private readonly CsvSourceTests outer = new();

        public void Dispose() => outer.Dispose();

        private FederatedData Load(CsvColumn a, string missing = "?") =>
            outer.Load($"1,0,0\n{missing},0,1\n1,0,0\n6,0,1\n8,0,1\n{missing},0,0\n", new CsvSourceOptions { Columns = [a, Number("b"), Number("label")] });

        [Theory]
        [InlineData("?")]
        [InlineData("")]
        [InlineData("NaN")]
        [InlineData("nan")]
        public void Question_mark_empty_and_nan_all_mean_missing(string marker) =>
            Assert.Equal([1, 4, 1, 6, 8], Column(Load(Number("a"), marker).Train, 0));

        [Theory]
        [InlineData(Imputation.Default, 4)]
        [InlineData(Imputation.Mean, 4)]
        [InlineData(Imputation.Median, 3.5)]
        [InlineData(Imputation.MostFrequent, 1)]
        [InlineData(Imputation.Zero, 0)]
        public void A_number_is_filled_in_from_the_training_rows(Imputation imputation, float expected)
        {
            var data = Load(Number("a") with { Imputation = imputation });

            Assert.Equal(expected, data.Train.Row(1)[0]);
            Assert.Equal(expected, data.Test.Row(0)[0]);
        }

        [Fact]
        public void The_mean_becomes_zero_when_standardised()
        {
            var standardised = Column(Load(new CsvColumn { Name = "a" }).Train, 0);

            // 1, 1, 6, 8: mean 4, variance (9 + 9 + 4 + 16)/4 = 9.5.
            Assert.Equal(0, standardised[1]);
            Assert.Equal(-3 / Math.Sqrt(9.5), standardised[0], 6);
            Assert.Equal(4 / Math.Sqrt(9.5), standardised[4], 6);
        }

        [Fact]
        public void An_indicator_says_which_were_missing()
        {
            var data = Load(Number("a") with { MissingIndicator = true });

            Assert.Equal(3, data.Train.FeatureCount);
            Assert.Equal([0, 1, 0, 0, 0], Column(data.Train, 1));
            Assert.Equal([1], Column(data.Test, 1));
        }

        [Fact]
        public void A_category_is_filled_in_by_the_most_frequent_or_by_none()
        {
            var frequent = Load(Category("a"));
            var none = Load(Category("a") with { Imputation = Imputation.Zero });

            Assert.Equal([1, 0, 0, 0], frequent.Train.Row(1).ToArray());
            Assert.Equal([0, 0, 0, 0], none.Train.Row(1).ToArray());
        }

        [Fact]
        public void Where_the_schema_allows_none_a_missing_value_is_an_error() =>
            Assert.Contains(
                "line 2: column 'a' is missing ('?'); the schema allows none",
                Assert.Throws<TrainingException>(() => Load(Number("a") with { Imputation = Imputation.Error })).Message,
                StringComparison.Ordinal);

        [Fact]
        public void A_column_may_have_markers_of_its_own_and_numbers_match_however_written() =>
            Assert.Equal([7, 7, 7, 6, 8], Column(Load(Number("a") with { Missing = ["1.0"] }).Train, 0));

        [Fact]
        public void A_column_without_any_value_is_an_error() =>
            Assert.Contains(
                "column 'a' has no value in any training row",
                outer.Failure("?,1,0\n?,2,1\n5,3,1\n"),
                StringComparison.Ordinal);
    }
}
