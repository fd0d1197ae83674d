using Federated.Aggregation.Compression;
using static Federated.Aggregation.Tests.Compression.CodecTesting;

namespace Federated.Aggregation.Tests.Compression;

/// <summary>What holds for every codec under every configuration.</summary>
public class CodecConformanceTests
{
    private static readonly int[] Dimensions = [0, 1, 2, 7, 8, 9, 63, 64, 65, 511, 1000, 4095, 4096, 4097, 9001];

    public static TheoryData<string> Names => CodecTesting.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_size_is_what_was_announced(string name)
    {
        var codec = Codec<float>(name);
        foreach (var d in Dimensions)
        {
            var size = codec.Encode(Update(d)).Length;
            Assert.True(codec.IsFixedSize ? size == codec.MaximumWireSize(d) : size <= codec.MaximumWireSize(d), $"d = {d}: {size} of {codec.MaximumWireSize(d)}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_seed_gives_the_same_bytes(string name)
    {
        var codec = Codec<float>(name);
        Assert.Equal(codec.Encode(Update(5000), 9), codec.Encode(Update(5000), 9));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Pieces_ascend_cover_every_change_and_are_short(string name)
    {
        var codec = Codec<float>(name);
        foreach (var d in Dimensions)
        {
            var message = codec.Encode(Update(d));
            var sink = new CheckingSink(d);
            codec.Decode(message, d, ref sink);
            Assert.Equal(codec.Decode(message, d), sink.Values);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Adding_a_message_adds_factor_times_the_decoded_update(string name)
    {
        var codec = Codec<double>(name);
        var update = Update(4500).Select(v => (double)v).ToArray();
        var message = codec.Encode(update);
        var decoded = codec.Decode(message, 4500);
        var sum = Enumerable.Range(0, 4500).Select(j => (double)j).ToArray();
        var sink = new VectorSink<double>(sum, -2);
        codec.Decode(message, 4500, ref sink);
        Assert.Equal(decoded.Select((v, j) => j - (2 * v)), sum);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_zero_update_stays_one(string name)
    {
        var decoded = Codec<float>(name).Decode(Codec<float>(name).Encode(new float[1000]), 1000);
        Assert.All(decoded, v => Assert.Equal(0, v));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_update_that_is_not_finite_is_refused(string name)
    {
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            var update = Update(200);
            update[150] = bad;
            Assert.Contains("Coordinate 150", Assert.Throws<AggregationException>(() => Codec<float>(name).Encode(update)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Large_and_tiny_magnitudes_survive_the_trip_as_finite_values(string name)
    {
        foreach (var magnitude in new[] { 1e-45f, 1e-38f, 1e-20f, 1e20f, 1e36f })
        {
            var update = Update(300).Select(v => Math.Clamp(v, -3, 3) * magnitude).ToArray();
            Assert.All(Codec<float>(name).Decode(Codec<float>(name).Encode(update), 300), v => Assert.True(float.IsFinite(v)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Float_and_double_agree(string name)
    {
        // The same random stream and the same formula; in double the scale and the threshold are finer, so that a coordinate may round
        // the other way only where the draw falls between the two.
        var update = Update(3000);
        var single = Codec<float>(name).Decode(Codec<float>(name).Encode(update, 4), 3000);
        var wide = Codec<double>(name).Decode(Codec<double>(name).Encode([.. update.Select(v => (double)v)], 4), 3000);
        var different = single.Where((v, j) => Math.Abs(v - wide[j]) > 1e-5 * Math.Max(1, Math.Abs(v))).Count();
        Assert.True(different <= 3, $"{different} of 3000 coordinates differ");
    }

    private ref struct CheckingSink(int dimension) : IUpdateSink<float>
    {
        public readonly float[] Values = new float[dimension];
        private int next;

        public void AddBlock(int offset, scoped ReadOnlySpan<float> values)
        {
            Assert.InRange(values.Length, 0, UpdateCodecs.BlockLength);
            Assert.True(offset >= next);
            values.CopyTo(Values.AsSpan(offset));
            next = offset + values.Length;
        }

        public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<float> values)
        {
            Assert.Equal(indices.Length, values.Length);
            Assert.InRange(values.Length, 0, UpdateCodecs.BlockLength);
            for (var i = 0; i < indices.Length; i++)
            {
                Assert.True(indices[i] >= next);
                Values[indices[i]] = values[i];
                next = indices[i] + 1;
            }
        }
    }
}
