using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.Parameters;

public class BrainFloatTests
{
    private static ushort[] AllPatterns() => [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];

    public class Widening
    {
        [Fact]
        public void Is_the_upper_half_of_a_float_for_every_pattern()
        {
            var patterns = AllPatterns();
            var wide = new float[65536];
            BrainFloat.ToSingle(patterns, wide);
            for (var i = 0; i < 65536; i++)
            {
                Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(wide[i]));
                Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(BrainFloat.ToSingle((ushort)i)));
            }
        }
    }

    public class Narrowing
    {
        [Fact]
        public void Gives_back_every_pattern_NaN_payloads_included()
        {
            var wide = new float[65536];
            BrainFloat.ToSingle(AllPatterns(), wide);
            var narrow = new ushort[65536];
            BrainFloat.FromSingle(wide, narrow);
            Assert.Equal(AllPatterns(), narrow);
        }

        [Fact]
        public void Rounds_to_nearest_even_between_every_two_neighbours()
        {
            // For each finite pattern p and its neighbour away from zero: just below the midpoint, the midpoint, just above.
            var inputs = new List<float>();
            var expected = new List<ushort>();
            for (var p = 0; p < 65536; p++)
            {
                if ((p & 0x7F80) == 0x7F80)
                {
                    continue;
                }

                var bits = (uint)p << 16;
                Expect(bits | 0x7FFF, p);
                Expect(bits | 0x8000, (p & 1) == 0 ? p : p + 1);
                Expect(bits | 0x8001, p + 1);
            }

            var narrow = new ushort[inputs.Count];
            BrainFloat.FromSingle(inputs.ToArray(), narrow);
            Assert.True(expected.SequenceEqual(narrow));
            Assert.True(expected.SequenceEqual(inputs.Select(BrainFloat.FromSingle)));
            Assert.True(expected.SequenceEqual(inputs.Select(x => BrainFloat.FromDouble(x))));

            void Expect(uint bits, int pattern)
            {
                inputs.Add(BitConverter.UInt32BitsToSingle(bits));
                expected.Add((ushort)pattern);
            }
        }

        [Theory]
        [InlineData(0x7F800001u)]
        [InlineData(0xFF800001u)]
        [InlineData(0x7FFFFFFFu)]
        [InlineData(0x7FC00000u)]
        public void Keeps_a_NaN_a_NaN_of_its_sign(uint bits)
        {
            var source = Enumerable.Repeat(BitConverter.UInt32BitsToSingle(bits), 40).ToArray();
            var narrow = new ushort[40];
            BrainFloat.FromSingle(source, narrow);
            Assert.All(narrow, n =>
            {
                Assert.True(float.IsNaN(BrainFloat.ToSingle(n)), $"{n:x4} is not a NaN");
                Assert.Equal(bits >> 31, (uint)n >> 15);
            });
        }

        [Fact]
        public void Of_a_double_rounds_once()
        {
            // Just above a tie by less than a float can tell: rounding through float would meet the tie and go to even, downwards.
            var tie = 1.0 + Math.ScaleB(1, -8);
            Assert.Equal(0x3F80, BrainFloat.FromDouble(tie));
            Assert.Equal(0x3F81, BrainFloat.FromDouble(Math.BitIncrement(tie)));
            Assert.Equal(0x3F80, BrainFloat.FromDouble(Math.BitDecrement(tie)));
            Assert.Equal(0xBF81, BrainFloat.FromDouble(-Math.BitIncrement(tie)));
            Assert.Equal(0x7F80, BrainFloat.FromDouble(double.MaxValue));
            Assert.Equal(0xFF80, BrainFloat.FromDouble(double.NegativeInfinity));
            Assert.Equal(0x0000, BrainFloat.FromDouble(double.Epsilon));
            Assert.Equal(0x8000, BrainFloat.FromDouble(-0.0));
        }
    }

    public class Half_precision
    {
        [Fact]
        public void Survives_a_round_trip_for_every_pattern()
        {
            var bytes = new byte[2 * 65536];
            for (var i = 0; i < 65536; i++)
            {
                BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), (ushort)i);
            }

            var wide = new float[65536];
            var exact = new double[65536];
            ElementConversion.Decode<float>(ElementType.F16, bytes, wide);
            ElementConversion.Decode<double>(ElementType.F16, bytes, exact);
            var back = new byte[bytes.Length];
            ElementConversion.Encode<float>(ElementType.F16, wide, back);
            var backFromDouble = new byte[bytes.Length];
            ElementConversion.Encode<double>(ElementType.F16, exact, backFromDouble);
            for (var i = 0; i < 65536; i++)
            {
                var half = BitConverter.UInt16BitsToHalf((ushort)i);
                Assert.Equal((float)half, wide[i]);
                Assert.Equal((double)half, exact[i]);
                if (Half.IsNaN(half))
                {
                    Assert.True(Half.IsNaN(BitConverter.ToHalf(back, 2 * i)));
                    Assert.True(Half.IsNaN(BitConverter.ToHalf(backFromDouble, 2 * i)));
                    Assert.Equal(i >> 15, back[(2 * i) + 1] >> 7);
                }
                else
                {
                    Assert.Equal((ushort)i, BitConverter.ToUInt16(back, 2 * i));
                    Assert.Equal((ushort)i, BitConverter.ToUInt16(backFromDouble, 2 * i));
                }
            }
        }

        [Fact]
        public void Rounds_to_nearest_even_between_every_two_neighbours()
        {
            var inputs = new List<float>();
            var expected = new List<ushort>();
            for (var p = 0; p < 0x7BFF; p++)
            {
                double low = (double)BitConverter.UInt16BitsToHalf((ushort)p), high = (double)BitConverter.UInt16BitsToHalf((ushort)(p + 1));
                var middle = (float)((low + high) / 2);
                foreach (var sign in new[] { 1, -1 })
                {
                    var flag = sign < 0 ? 0x8000 : 0;
                    inputs.AddRange([sign * MathF.BitDecrement(middle), sign * middle, sign * MathF.BitIncrement(middle)]);
                    expected.AddRange([(ushort)(p | flag), (ushort)((p + (p & 1)) | flag), (ushort)((p + 1) | flag)]);
                }
            }

            inputs.AddRange([65504f, MathF.BitDecrement(65520f), 65520f, 1e9f]);
            expected.AddRange([0x7BFF, 0x7BFF, 0x7C00, 0x7C00]);
            var bytes = new byte[2 * inputs.Count];
            ElementConversion.Encode<float>(ElementType.F16, inputs.ToArray(), bytes);
            var fromDouble = new byte[bytes.Length];
            ElementConversion.Encode<double>(ElementType.F16, inputs.Select(x => (double)x).ToArray(), fromDouble);
            for (var i = 0; i < inputs.Count; i++)
            {
                Assert.Equal(expected[i], BitConverter.ToUInt16(bytes, 2 * i));
                Assert.Equal(expected[i], BitConverter.ToUInt16(fromDouble, 2 * i));
            }
        }

        [Fact]
        public void Of_a_double_rounds_once()
        {
            var tie = 1.0 + Math.ScaleB(1, -11);
            var bytes = new byte[6];
            ElementConversion.Encode<double>(ElementType.F16, [Math.BitDecrement(tie), tie, Math.BitIncrement(tie)], bytes);
            Assert.Equal([0x00, 0x3C, 0x00, 0x3C, 0x01, 0x3C], bytes);
        }
    }

    public class Vector_and_scalar_paths
    {
        [Fact]
        public void Agree_on_random_bits_at_every_length()
        {
            var random = SeededRandom.Derive(1, "bf16");
            for (var length = 0; length < 130; length++)
            {
                var source = new float[length];
                for (var i = 0; i < length; i++)
                {
                    source[i] = BitConverter.UInt32BitsToSingle((uint)random.NextUInt64());
                }

                var narrow = new ushort[length];
                BrainFloat.FromSingle(source, narrow);
                Assert.Equal(source.Select(BrainFloat.FromSingle), narrow);
            }
        }
    }
}
