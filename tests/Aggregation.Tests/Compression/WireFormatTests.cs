using System.Buffers.Binary;
using System.Text.Json;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Randomness;
using static Federated.Aggregation.Tests.Compression.CodecTesting;

namespace Federated.Aggregation.Tests.Compression;

/// <summary>Bytes written out by hand from the documentation, and decoders written from it bit by bit: a second implementation.</summary>
public class WireFormatTests
{
    private static string Hex(byte[] message) => Convert.ToHexStringLower(message);

    public class Golden
    {
        // 1 → 0x3F800000, −2 → 0xC0000000; header FUPD, version 1, codec 1, type 3 (F32), parameter 0, d = 2.
        [Fact]
        public void Identity() =>
            Assert.Equal("4655504401010300" + "02000000" + "0000803f" + "000000c0", Hex(Codec<float>("identity").Encode([1f, -2f])));

        [Fact]
        public void Float16() => Assert.Equal("4655504401010100" + "02000000" + "003c" + "00c0", Hex(Codec<float>("f16").Encode([1f, -2f])));

        [Fact]
        public void BFloat16() => Assert.Equal("4655504401010200" + "02000000" + "803f" + "00c0", Hex(Codec<float>("bf16").Encode([1f, -2f])));

        // d = 10, k = 3, r = ⌊log₂ ⌊690/300⌋⌋ = 1. Kept: indices 1, 2, 9; gaps 1, 0, 6; codes: 0|1, 0|0, 1110|0 → bits, first to last,
        // 0 1 0 0 1 1 1 0 | 0 → 0x72, 0x00.
        [Fact]
        public void TopK() => Assert.Equal(
            "4655504401020301" + "0a000000" + "03000000" + "0000803f" + "000000c0" + "00004040" + "7200",
            Hex(Codec<float>("top-k 30 %").Encode([0, 1, -2, 0, 0, 0, 0, 0, 0.5f, 3])));

        // Ties go to the lower index: 1, 2 and 3 of four equal magnitudes; gaps 1, 0, 0 with r = 1: 01 00 00 → 0x02.
        [Fact]
        public void TopK_ties() => Assert.EndsWith(
            "0000803f" + "000080bf" + "0000803f" + "02",
            Hex(Codec<float>("top-k 30 %").Encode([0, 1, -1, 1, 0, 0, 0, 0, 1, 0])), StringComparison.Ordinal);

        // One coordinate that is its bucket's norm: level s in all its certainty. s = 1: codes level + 1 of 2 bits: 1 (zero), 2 (plus),
        // 1, 0 (minus in the second bucket would need another norm): 01, 10, 01 → bits 1 0 | 0 1 | 1 0 → 0x19.
        [Fact]
        public void Qsgd() => Assert.Equal(
            "4655504401040301" + "03000000" + "40000000" + "0000a040" + "19", Hex(Codec<float>("qsgd 1").Encode([0, 5, 0])));

        // s = 1: one level at index 2: omega(3) = 110, sign 1, omega(1) = 0: bits 1 1 0 1 0 → 0x0b.
        [Fact]
        public void Qsgd_elias() => Assert.Equal(
            "4655504401050301" + "04000000" + "00020000" + "0000a040" + "01000000" + "0b", Hex(Codec<float>("qsgd 1 elias").Encode([0, 0, -5, 0])));

        // c = 7, m = 7: values −7, 0, 7, 3 stand on levels: codes 0, 7, 14, 10 → 0x70, 0xae.
        [Fact]
        public void Uniform_four_bits() => Assert.Equal(
            "4655504401060304" + "04000000" + "40000000" + "0000e040" + "70ae", Hex(Codec<float>("uniform 4").Encode([-7, 0, 7, 3])));

        // ±m are certain: bits 1 0 1 → 0x05.
        [Fact]
        public void Uniform_one_bit() => Assert.Equal(
            "4655504401060301" + "03000000" + "40000000" + "0000e040" + "05", Hex(Codec<float>("uniform 1").Encode([7, -7, 7])));

        [Fact]
        public void Doubles_travel_as_such() => Assert.Equal(
            "4655504401010400" + "01000000" + "000000000000f03f", Hex(Codec<double>("identity").Encode([1.0])));
    }

    public class SecondImplementation
    {
        [Theory]
        [InlineData("qsgd 1", 1.0)]
        [InlineData("qsgd 3", 3.0)]
        [InlineData("qsgd 10", 10.0)]
        [InlineData("qsgd 127", 127.0)]
        [InlineData("uniform 8", 127.0)]
        [InlineData("uniform 4", 7.0)]
        [InlineData("uniform 2", 1.0)]
        [InlineData("uniform 1", 0.5)]
        public void Buckets(string name, double c)
        {
            const int d = 4999;
            var update = Update(d);
            var message = Codec<float>(name).Encode(update);
            var bucket = BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(12));
            var width = (int)Math.Ceiling(Math.Log2((2 * c) + 1));
            var scales = Enumerable.Range(0, (d + bucket - 1) / bucket).Select(b => BitConverter.ToSingle(message, 16 + (4 * b))).ToArray();
            var bits = message.AsSpan(16 + (4 * scales.Length)).ToArray();
            var expected = new float[d];
            for (var j = 0; j < d; j++)
            {
                var code = 0;
                for (var b = 0; b < width; b++)
                {
                    var at = (j * width) + b;
                    code |= ((bits[at / 8] >> (at % 8)) & 1) << b;
                }

                expected[j] = (code - (float)c) * (scales[j / bucket] / (float)c);

                // Nobody is more than one level away from where it belongs.
                Assert.InRange(Math.Abs(expected[j] - update[j]), 0, scales[j / bucket] / c * 1.001);
            }

            Assert.Equal(expected, Codec<float>(name).Decode(message, d));
        }

        [Fact]
        public void Top_k_keeps_what_a_sort_would()
        {
            foreach (var seed in new ulong[] { 1, 2, 3 })
            {
                // Few distinct magnitudes, so that the threshold falls among ties.
                var update = Update(3001, seed).Select(v => MathF.Round(v * 4) / 4).ToArray();
                var kept = Enumerable.Range(0, 3001).OrderByDescending(j => Math.Abs(update[j])).ThenBy(j => j).Take(901).ToHashSet();
                var expected = update.Select((v, j) => kept.Contains(j) ? v : 0);
                Assert.Equal(expected, Codec<float>("top-k 30 %").Decode(Codec<float>("top-k 30 %").Encode(update), 3001));
                var wide = update.Select(v => (double)v).ToArray();
                Assert.Equal(expected.Select(v => (double)v), Codec<double>("top-k 30 %").Decode(Codec<double>("top-k 30 %").Encode(wide), 3001));
            }
        }

        [Fact]
        public void Random_k_takes_floyds_sample()
        {
            var update = Update(2000);
            var message = Codec<float>("random-k 10 %").Encode(update, 5);
            var random = new SeededRandom(BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(12)));
            var taken = new SortedSet<int>();
            for (var j = 1800; j < 2000; j++)
            {
                var t = random.NextInt(j + 1);
                taken.Add(taken.Contains(t) ? j : t);
            }

            Assert.Equal(update.Select((v, j) => taken.Contains(j) ? v * 10 : 0), Codec<float>("random-k 10 %").Decode(message, 2000));
        }

        [Fact]
        public void Elias_levels_are_the_fixed_ones()
        {
            // The same draws, so the same levels, written in two ways.
            var elias = new QsgdCodec<float>(new() { Levels = 20, Bucket = 64, Coding = QsgdCoding.Elias });
            var plain = new QsgdCodec<float>(new() { Levels = 20, Bucket = 64 });
            var update = Update(7001);
            Assert.Equal(plain.Decode(plain.Encode(update, 3), 7001), elias.Decode(elias.Encode(update, 3), 7001));
        }

        [Fact]
        public void Elias_is_shorter_for_one_level()
        {
            var update = Update(50_000);
            var elias = new QsgdCodec<float>(new() { Levels = 1, Coding = QsgdCoding.Elias }).Encode(update).Length;
            var plain = new QsgdCodec<float>(new() { Levels = 1 }).Encode(update).Length;
            Assert.True(elias < plain / 3, $"{elias} against {plain}");
        }
    }

    public class Sizes
    {
        [Theory]
        [InlineData("identity", 1000, 12 + 4000)]
        [InlineData("bf16", 1000, 12 + 2000)]
        [InlineData("random-k 10 %", 1000, 24 + 400)]
        [InlineData("qsgd 3", 1000, 16 + (2 * 4) + 375)]
        [InlineData("qsgd 127", 5000, 16 + (2 * 4) + 5000)]
        [InlineData("uniform 1", 1001, 16 + (16 * 4) + 126)]
        public void Follow_the_formulas(string name, int dimension, int expected)
        {
            Assert.Equal(expected, Codec<float>(name).MaximumWireSize(dimension));
            Assert.Equal(expected, Codec<float>(name).Encode(Update(dimension)).Length);
        }

        [Fact]
        public void The_bound_for_top_k_is_reached_where_the_kept_lie_at_the_end()
        {
            var update = new float[1000];
            update.AsSpan(990).Fill(1);
            Assert.Equal(Codec<float>("top-k 1 %").MaximumWireSize(1000), Codec<float>("top-k 1 %").Encode(update).Length);
        }

        [Fact]
        public void Do_not_overflow_for_the_largest_models() =>
            Assert.All(All, n => Assert.InRange(Codec<float>(n).MaximumWireSize(int.MaxValue), int.MaxValue / 100, 10L * int.MaxValue));
    }

    [Fact]
    public void An_unknown_codec_is_answered_with_the_known_ones() => Assert.Contains(
        UpdateCodecs.TopK,
        Assert.Throws<AggregationException>(() => UpdateCodecs.Create<float>(null!)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Options_out_of_range_are_refused() => Assert.All<CodecOptions>(
        [
            new TopKOptions { Ratio = 0 }, new TopKOptions { Ratio = double.NaN }, new RandomKOptions { Ratio = 1.5 },
            new QsgdOptions { Levels = 128 }, new QsgdOptions { Levels = 0 }, new UniformOptions { Bits = 3 },
        ],
        options => Assert.Throws<AggregationException>(() => UpdateCodecs.Create<float>(options)));

    [Fact]
    public void Config_reads_each_kind_back_as_it_was_written() => Assert.All(All, name =>
    {
        var written = new CompressionOptions { Codec = Options(name), Feedback = new EControlOptions { Strength = 0.25 } };
        Assert.Equal(written, JsonSerializer.Deserialize<CompressionOptions>(JsonSerializer.Serialize(written)));
    });

    [Theory]
    [InlineData(63)]
    [InlineData(100)]
    [InlineData(8192)]
    public void Odd_buckets_are_refused(int bucket) =>
        Assert.Throws<AggregationException>(() => new QsgdCodec<float>(new() { Bucket = bucket }));
}
