using Federated.Aggregation.Compression;
using Federated.Aggregation.Randomness;
using static Federated.Aggregation.Tests.Compression.CodecTesting;

namespace Federated.Aggregation.Tests.Compression;

/// <summary>Bytes that no codec wrote: refused with the one exception before the sink sees anything, or decoded to finite values.</summary>
public class HostileMessageTests
{
    public static TheoryData<string> Names => CodecTesting.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutated_messages_are_refused_or_finite(string name)
    {
        var codec = Codec<float>(name);
        var random = SeededRandom.Derive(3, "fuzz " + name);
        foreach (var d in new[] { 1, 65, 700 })
        {
            var valid = codec.Encode(Update(d));
            for (var trial = 0; trial < 400; trial++)
            {
                Check(codec, Mutate(valid, random), d);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_bodies_are_refused_or_finite(string name)
    {
        var codec = Codec<float>(name);
        var random = SeededRandom.Derive(4, "fuzz " + name);
        var valid = codec.Encode(Update(300));
        for (var trial = 0; trial < 300; trial++)
        {
            var message = valid[..(12 + random.NextInt(valid.Length - 11))];
            for (var i = 12 + random.NextInt(20); i < message.Length; i++)
            {
                message[i] = (byte)random.NextUInt64();
            }

            Check(codec, message, 300);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_truncation_and_every_extension_is_refused(string name)
    {
        var codec = Codec<float>(name);
        var valid = codec.Encode(Update(130));
        for (var length = 0; length < valid.Length; length++)
        {
            Assert.Throws<AggregationException>(() => codec.Decode(valid[..length], 130));
        }

        Assert.Throws<AggregationException>(() => codec.Decode([.. valid, 0], 130));
        Assert.Throws<AggregationException>(() => codec.Decode([.. valid, .. new byte[1000]], 130));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Another_dimension_is_refused(string name)
    {
        var codec = Codec<float>(name);
        var valid = codec.Encode(Update(130));
        Assert.Throws<AggregationException>(() => codec.Decode(valid, 129));
        Assert.Throws<AggregationException>(() => codec.Decode(valid, 131));
        Assert.Throws<AggregationException>(() => codec.Decode(valid, 0));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_change_of_the_header_is_refused(string name)
    {
        var codec = Codec<float>(name);
        var valid = codec.Encode(Update(130));
        for (var i = 0; i < 12; i++)
        {
            var changed = valid.ToArray();
            changed[i] ^= 0x41;
            Assert.Throws<AggregationException>(() => codec.Decode(changed, 130));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_codec_reads_anothers_messages(string name)
    {
        foreach (var other in All)
        {
            var message = Codec<float>(other).Encode(Update(500));
            if (!OnlyDifferInScaling(Options(name), Options(other)))
            {
                Assert.Throws<AggregationException>(() => Codec<float>(name).Decode(message, 500));
            }
        }
    }

    // A contractive quantiser's messages differ in the scales' values only.
    private static bool OnlyDifferInScaling(CodecOptions a, CodecOptions b) => Unscaled(a) == Unscaled(b);

    private static CodecOptions Unscaled(CodecOptions options) => options switch
    {
        QsgdOptions o => o with { Contractive = false },
        UniformOptions o => o with { Contractive = false },
        _ => options,
    };

    private static byte[] Mutate(byte[] valid, SeededRandom random)
    {
        var message = valid.ToArray();
        for (var change = 0; change <= random.NextInt(4); change++)
        {
            var at = random.NextInt(message.Length);
            switch (random.NextInt(4))
            {
                case 0:
                    message[at] ^= (byte)(1 << random.NextInt(8));
                    break;
                case 1:
                    message[at] = (byte)random.NextUInt64();
                    break;
                case 2:
                    message.AsSpan(at, Math.Min(4, message.Length - at)).Fill(0xFF);
                    break;
                default:
                    message.AsSpan(at).Fill((byte)random.NextUInt64());
                    break;
            }
        }

        return message;
    }

    private static void Check(IUpdateCodec<float> codec, byte[] message, int dimension)
    {
        var target = new float[dimension];
        var sink = new VectorSink<float>(target, 1);
        try
        {
            codec.Decode(message, dimension, ref sink);
        }
        catch (AggregationException)
        {
            Assert.All(target, v => Assert.Equal(0, v));
            return;
        }

        Assert.All(target, v => Assert.True(float.IsFinite(v)));
    }
}
