using Federated.Training.Data;
using Federated.Training.Data.Loading.Csv;

namespace Federated.Training.Tests.Data.Loading.Csv;

/// <content>From columns to features.</content>
public sealed partial class CsvSourceTests
{
    public sealed class Encoding : IDisposable
    {
        private readonly CsvSourceTests outer = new();

        public void Dispose() => outer.Dispose();

        [Fact]
        public void Categories_that_are_numbers_are_one_however_written_and_sorted_as_numbers()
        {
            var options = new CsvSourceOptions { Columns = [Category("a"), Number("b"), Number("label")] };

            var data = outer.Load("10,0,0\n2.0,0,1\n1,0,1\n2,0,0\n", options);

            Assert.Equal([0, 0, 1, 0], data.Train.Row(0).ToArray());
            Assert.Equal([0, 1, 0, 0], data.Train.Row(1).ToArray());
            Assert.Equal([0, 1, 0, 0], data.Test.Row(0).ToArray());
        }

        [Fact]
        public void A_category_that_only_held_out_rows_know_has_no_feature()
        {
            var options = new CsvSourceOptions { Columns = [Category("a"), Number("b"), Number("label")] };

            var data = outer.Load("x,0,0\ny,0,1\nz,0,1\n", options);

            Assert.Equal([0, 0, 0], data.Test.Row(0).ToArray());
        }

        [Fact]
        public void Statistics_are_those_of_training_rows_only()
        {
            var data = outer.Load("1,0,0\n3,0,1\n1000,0,1\n", new CsvSourceOptions { Columns = [new CsvColumn { Name = "a" }, Number("b"), Number("label")] });

            Assert.Equal([-1, 1], Column(data.Train, 0));
            Assert.Equal([998], Column(data.Test, 0));
        }

        [Fact]
        public void A_constant_column_becomes_zero() =>
            Assert.Equal([0, 0], Column(outer.Load("5,0,0\n5,0,1\n5,0,1\n", new CsvSourceOptions { Columns = [new CsvColumn { Name = "a" }, Number("b"), Number("label")] }).Train, 0));

        [Fact]
        public void A_header_lets_the_schema_choose_and_order_columns()
        {
            var options = new CsvSourceOptions
            {
                Header = true,
                Columns = [Number("b"), Number("a"), new CsvColumn { Name = "id", Kind = CsvColumnKind.Ignore }],
            };

            var data = outer.Load("id,a,label,b\n9,1,no,2\n9,3,yes,4\n9,5,no,6\n", options);

            Assert.Equal([2, 1, 4, 3], data.Train.Features);
            Assert.Equal([0, 1], data.Train.Labels);
        }

        [Fact]
        public void Label_values_give_the_classes_their_order()
        {
            var options = new CsvSourceOptions
            {
                Columns = [Number("a"), Number("b"), Number("label")],
                Label = new CsvLabel { Column = "label", Values = ["yes", "no", "perhaps"] },
            };

            var data = outer.Load("1,2,no\n3,4,yes\n5,6,no\n", options);

            Assert.Equal([1, 0], data.Train.Labels);
            Assert.Equal(3, data.Train.Classes);
        }

        [Fact]
        public void A_threshold_makes_two_classes()
        {
            var options = new CsvSourceOptions { Columns = [Number("a"), Number("b"), Number("label")], Label = new CsvLabel { Column = "label", Above = 0 } };

            Assert.Equal([0, 1, 1], outer.Load("1,2,0\n3,4,2\n5,6,4\n5,6,0\n", options).Train.Labels);
        }
    }
}
