using System.Buffers;
using System.Globalization;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Randomness;

namespace Federated.EndToEnd.Interoperability;

/// <summary>Encoded updates are what docs/protocol.md says: a decoder written from it, in another language, reads every codec's messages.</summary>
public sealed class UpdateMessageTests : IDisposable
{
    private const int Dimension = 1500;

    private readonly string folder = Directory.CreateTempSubdirectory("federated-messages-").FullName;

    public static TheoryData<string, CodecOptions> Codecs => new()
    {
        { "identity", new IdentityOptions() },
        { "f16", new Float16Options() },
        { "bf16", new BFloat16Options() },
        { "top-k", new TopKOptions { Ratio = 0.03 } },
        { "top-k of all", new TopKOptions { Ratio = 1 } },
        { "random-k", new RandomKOptions { Ratio = 0.1 } },
        { "random-k unscaled", new RandomKOptions { Ratio = 0.1, Unbiased = false } },
        { "qsgd", new QsgdOptions { Levels = 7, Bucket = 256 } },
        { "qsgd of 100 levels", new QsgdOptions { Levels = 100, Contractive = true } },
        { "qsgd in elias codes", new QsgdOptions { Levels = 3, Coding = QsgdCoding.Elias } },
        { "uniform of 8 bits", new UniformOptions() },
        { "uniform of 2 bits", new UniformOptions { Bits = 2, Bucket = 64 } },
        { "uniform of 1 bit", new UniformOptions { Bits = 1 } },
    };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [PythonTheory]
    [MemberData(nameof(Codecs))]
    public async Task AnotherLanguageReadsThem(string name, CodecOptions options)
    {
        var random = new SeededRandom(11);
        var update = Enumerable.Range(0, Dimension).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.NextInt(4) - 2))).ToArray();
        var message = new ArrayBufferWriter<byte>();
        var codec = UpdateCodecs.Create<float>(options);
        new PlainEncoder<float>(codec, Dimension).EncodeTask<float>(update, seed: 3, message);
        var expected = new float[Dimension];
        var sink = new VectorSink<float>(expected, 1);
        codec.Decode(message.WrittenSpan, Dimension, ref sink);

        var file = Path.Combine(folder, "message");
        await File.WriteAllBytesAsync(file, message.WrittenMemory);
        var script = Path.Combine(Build.RepositoryRoot, "tests", "EndToEnd", "Interoperability", "decode_update.py");
        var (code, output, error) = await PythonFactAttribute.RunAsync(script, file);
        Assert.True(code == 0, $"{name}: {error}");
        var read = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Dimension, read.Count);
        for (var i = 0; i < Dimension; i++)
        {
            Assert.True(Math.Abs(read[i] - expected[i]) <= 1e-6 * Math.Abs(expected[i]), $"{name}: coordinate {i} is {expected[i]:R}, and was read as {read[i]:R}.");
        }
    }
}
