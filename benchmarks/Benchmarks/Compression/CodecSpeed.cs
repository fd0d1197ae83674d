using System.Buffers;
using System.Globalization;
using System.Numerics.Tensors;
using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Randomness;
using Federated.Benchmarks.Aggregation;
using static System.FormattableString;

namespace Federated.Benchmarks.Compression;

/// <summary>
/// Encoding, and decoding fused with accumulation, against what adding the same update costs when it is not encoded at all: the memory
/// speed of the addition. Added once to a float vector and once to the reproducible sum that aggregators use.
/// </summary>
[WholeProcess("codecs", "[parameters] [passes]: encode, and decode-and-accumulate against adding the plain update, 1 thread", "parameters:count", "passes:count")]
internal static class CodecSpeed
{
    public static int Run(string[] args)
    {
        var dimension = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        var passes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 60;
        var update = Memory.Vectors(1, dimension)[0];
        var target = new float[dimension];
        var mean = new WeightedMean<float>(dimension);
        var add = Memory.Best(passes, () => TensorPrimitives.MultiplyAdd<float>(update, 0.5f, target, target));
        var sum = Memory.Best(passes, () => mean.Add(new Contribution<float>(1, update, 1)));
        Console.WriteLine(Invariant($"{dimension:N0} float parameters, 1 thread. Plain update: {add * 1e3:F2} ms into a vector, {sum * 1e3:F2} ms into the mean."));
        Console.WriteLine("codec                       bytes  bits/par.   encode        into a vector         into the mean");
        (string Name, CodecOptions Options)[] codecs =
        [
            ("identity", new IdentityOptions()), ("f16", new Float16Options()), ("bf16", new BFloat16Options()),
            ("top-k 1 %", new TopKOptions()), ("random-k 1 %", new RandomKOptions()),
            ("qsgd s=1", new QsgdOptions { Levels = 1 }), ("qsgd s=7", new QsgdOptions { Levels = 7 }),
            ("qsgd s=127", new QsgdOptions { Levels = 127 }), ("qsgd s=1 elias", new QsgdOptions { Levels = 1, Coding = QsgdCoding.Elias }),
            ("uniform 1 bit", new UniformOptions { Bits = 1 }), ("uniform 2 bits", new UniformOptions { Bits = 2 }),
            ("uniform 4 bits", new UniformOptions { Bits = 4 }), ("uniform 8 bits", new UniformOptions()),
        ];
        foreach (var (name, options) in codecs)
        {
            var codec = UpdateCodecs.Create<float>(options);
            var output = new ArrayBufferWriter<byte>((int)codec.MaximumWireSize(dimension));
            var random = new SeededRandom(1);
            var encode = Memory.Best(passes, () =>
            {
                output.ResetWrittenCount();
                codec.Encode(update, random, output);
            });
            var message = output.WrittenMemory;
            var decode = Memory.Best(passes, () =>
            {
                var sink = new VectorSink<float>(target, 0.5f);
                codec.Decode(message.Span, dimension, ref sink);
            });
            var fused = Memory.Best(passes, () => mean.AddEncoded(codec, message.Span, new Contribution<float>(1, [], 1)));
            Console.WriteLine(Invariant(
                $"{name,-20} {message.Length,12:N0} {message.Length * 8.0 / dimension,10:F2} {encode * 1e3,7:F2} ms {decode * 1e3,7:F2} ms ({decode / add,4:F1} x plain) {fused * 1e3,7:F2} ms ({fused / sum,4:F1} x plain)"));
        }

        return 0;
    }
}
