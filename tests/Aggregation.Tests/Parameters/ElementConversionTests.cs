using Federated.Aggregation.Parameters;

namespace Federated.Aggregation.Tests.Parameters;

public class ElementConversionTests
{
    private static readonly double[] Values = [0, -0.0, 1, -1, 0.1, 1.0 / 3, 1e-3, -2.5, 1e-30, 65504, -123.456, Math.PI];

    [Theory]
    [InlineData(ElementType.F64, 0)]
    [InlineData(ElementType.F32, 6e-8)]
    [InlineData(ElementType.F16, 4.9e-4)]
    [InlineData(ElementType.BF16, 3.91e-3)]
    public void A_double_comes_back_within_half_a_unit_in_the_last_place(ElementType type, double relative)
    {
        var bytes = new byte[Values.Length * type.Size()];
        ElementConversion.Encode<double>(type, Values, bytes);
        var back = new double[Values.Length];
        ElementConversion.Decode<double>(type, bytes, back);
        for (var i = 0; i < Values.Length; i++)
        {
            Assert.InRange(Math.Abs(back[i] - Values[i]), 0, (relative * Math.Abs(Values[i])) + (type == ElementType.F16 ? 3e-8 : 0));
        }
    }

    [Fact]
    public void A_float_is_exact_as_F32_and_as_F64()
    {
        var values = Values.Select(v => (float)v).ToArray();
        foreach (var type in new[] { ElementType.F32, ElementType.F64 })
        {
            var bytes = new byte[values.Length * type.Size()];
            ElementConversion.Encode<float>(type, values, bytes);
            var back = new float[values.Length];
            ElementConversion.Decode<float>(type, bytes, back);
            Assert.Equal(values, back);
        }
    }

    [Fact]
    public void Long_vectors_convert_as_short_ones_do()
    {
        var values = Enumerable.Range(0, 5000).Select(i => Math.Sin(i)).ToArray();
        foreach (var type in Enum.GetValues<ElementType>())
        {
            var bytes = new byte[values.Length * type.Size()];
            ElementConversion.Encode<double>(type, values, bytes);
            var back = new double[values.Length];
            ElementConversion.Decode<double>(type, bytes, back);
            for (var i = 0; i < values.Length; i += 997)
            {
                var one = new byte[type.Size()];
                ElementConversion.Encode<double>(type, [values[i]], one);
                Assert.Equal(one, bytes.AsSpan(i * type.Size(), type.Size()).ToArray());
                var single = new double[1];
                ElementConversion.Decode<double>(type, one, single);
                Assert.Equal(single[0], back[i]);
            }
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ElementConversion.Decode<float>(ElementType.F32, new byte[7], new float[2]));
        Assert.Throws<ArgumentException>(() => ElementConversion.Encode<float>(ElementType.F16, new float[2], new byte[5]));
    }

    public class FirstOverflow
    {
        [Theory]
        [InlineData(ElementType.F16, 65519.99, 65520)]
        [InlineData(ElementType.F32, 3.4028235677973362e38, 3.4028235677973366e38)]
        [InlineData(ElementType.BF16, 3.396177e38, 3.3961776e38)]
        public void Is_the_first_finite_value_that_would_become_infinite(ElementType type, double fits, double overflows)
        {
            Assert.Equal(-1, ElementConversion.FirstOverflow<double>(type, [1, fits, -fits]));
            Assert.Equal(2, ElementConversion.FirstOverflow<double>(type, [1, fits, -overflows, overflows]));
            var bytes = new byte[2 * type.Size()];
            ElementConversion.Encode<double>(type, [fits, overflows], bytes);
            var back = new double[2];
            ElementConversion.Decode<double>(type, bytes, back);
            Assert.True(double.IsFinite(back[0]));
            Assert.True(double.IsInfinity(back[1]));
        }

        [Fact]
        public void Passes_over_what_is_not_finite_already()
        {
            Assert.Equal(-1, ElementConversion.FirstOverflow<float>(ElementType.F16, [float.NaN, float.PositiveInfinity, 3f]));
            Assert.Equal(2, ElementConversion.FirstOverflow<float>(ElementType.F16, [float.NaN, float.PositiveInfinity, 1e6f]));
            Assert.Equal(-1, ElementConversion.FirstOverflow<double>(ElementType.F64, [double.MaxValue]));
        }
    }
}
