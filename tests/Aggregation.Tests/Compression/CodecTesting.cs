using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.Compression;

/// <summary>Codecs by a short name, and calls that the compression tests share.</summary>
internal static class CodecTesting
{
    private static readonly Dictionary<string, CodecOptions> Configurations = new()
    {
        ["identity"] = new IdentityOptions(),
        ["f16"] = new Float16Options(),
        ["bf16"] = new BFloat16Options(),
        ["top-k 1 %"] = new TopKOptions(),
        ["top-k 30 %"] = new TopKOptions { Ratio = 0.3 },
        ["top-k all"] = new TopKOptions { Ratio = 1 },
        ["random-k 10 %"] = new RandomKOptions { Ratio = 0.1 },
        ["random-k 10 % biased"] = new RandomKOptions { Ratio = 0.1, Unbiased = false },
        ["random-k all"] = new RandomKOptions { Ratio = 1 },
        ["qsgd 1"] = new QsgdOptions { Levels = 1, Bucket = 64 },
        ["qsgd 3"] = new QsgdOptions { Levels = 3 },
        ["qsgd 10"] = new QsgdOptions { Levels = 10, Bucket = 128 },
        ["qsgd 127"] = new QsgdOptions { Levels = 127, Bucket = 4096 },
        ["qsgd 1 elias"] = new QsgdOptions { Levels = 1, Coding = QsgdCoding.Elias },
        ["qsgd 20 elias"] = new QsgdOptions { Levels = 20, Bucket = 64, Coding = QsgdCoding.Elias },
        ["qsgd 3 contractive"] = new QsgdOptions { Levels = 3, Contractive = true },
        ["uniform 8"] = new UniformOptions(),
        ["uniform 4"] = new UniformOptions { Bits = 4, Bucket = 64 },
        ["uniform 2"] = new UniformOptions { Bits = 2, Bucket = 128 },
        ["uniform 1"] = new UniformOptions { Bits = 1, Bucket = 64 },
        ["uniform 1 contractive"] = new UniformOptions { Bits = 1, Bucket = 64, Contractive = true },
    };

    public static IReadOnlyCollection<string> All => Configurations.Keys;

    public static TheoryData<string> Names => [.. Configurations.Keys];

    public static CodecOptions Options(string name) => Configurations[name];

    public static IUpdateCodec<T> Codec<T>(string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => UpdateCodecs.Create<T>(Configurations[name]);

    public static byte[] Encode<T>(this IUpdateCodec<T> codec, T[] update, ulong seed = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(codec.Encode(update, new SeededRandom(seed), output), output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Encode<T>(this IUpdateEncoder<T> encoder, T[] update, ulong seed = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(encoder.Encode(update, new SeededRandom(seed), output), output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }

    public static T[] Decode<T>(this IUpdateCodec<T> codec, byte[] message, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var update = new T[dimension];
        update.AsSpan().Fill(T.NaN);
        codec.DecodeInto(message, update);
        return update;
    }

    /// <summary>Normal values with a few large ones and a run of zeros, like an update.</summary>
    public static float[] Update(int dimension, ulong seed = 1)
    {
        var random = SeededRandom.Derive(seed, "codec-tests", dimension);
        var update = new float[dimension];
        for (var j = 0; j < dimension; j++)
        {
            update[j] = j % 700 is >= 300 and < 430 ? 0 : (float)(random.NextNormal() * (random.NextInt(20) == 0 ? 10 : 0.3));
        }

        return update;
    }

    public static double SquaredNorm(float[] x) => x.Sum(v => (double)v * v);

    public static double SquaredDistance(float[] x, float[] y) => x.Zip(y, static (a, b) => ((double)a - b) * ((double)a - b)).Sum();
}
