using System.Security.Cryptography;
using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public abstract class BlobModelFileTests
{
    private static readonly ParameterLayout Layout = ParameterLayout.Of(("a", [5, 3]), ("b", [4]));

    private readonly FileBlobStore blobs = new(new FaultyFileSystem(1), "blobs");

    private static float[] Values(params object[] of)
    {
        var random = SeededRandom.Derive(5, string.Join('/', of));
        return [.. Enumerable.Range(0, Layout.Count).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    private static byte[] File(Action<SafetensorsWriter> add, SafetensorsWriter? writer = null)
    {
        writer ??= new SafetensorsWriter();
        add(writer);
        using var bytes = new MemoryStream();
        writer.WriteTo(bytes);
        return bytes.ToArray();
    }

    private static BlobReference Reference(byte[] bytes) => new(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);

    private async Task<BlobReference> Store(byte[] bytes)
    {
        await using var writer = await blobs.CreateAsync(default);
        await writer.WriteAsync(bytes, default);
        return await writer.CommitAsync(null, default);
    }

    private static Accumulate Effect(int client, BlobReference delta, params (string Name, BlobReference Blob)[] extras) => new(
        new Assignment(new AssignmentId(client), new ClientId(client), 0, LocalWork.OfSteps(1), 0, 1),
        new UpdateReport
        {
            Examples = 1,
            LocalSteps = 1,
            Delta = delta,
            Extras = System.Collections.Immutable.ImmutableDictionary.CreateRange(extras.Select(e => KeyValuePair.Create(e.Name, e.Blob))),
        },
        1,
        0,
        DeltaBasis.BaseVersion);

    private static BlobModel<float> Model(
        Func<IServerOptimizer<float>>? optimizer = null, Func<IObjectiveServer<float>>? objective = null, IUpdateCodec<float>? codec = null) => new(
        Layout,
        () => new ModelState<float>(
            Values("initial"), new WeightedMean<float>(Layout.Count, new WeightedMeanOptions()), optimizer?.Invoke() ?? new Sgd<float>(new SgdOptions()), objective?.Invoke()),
        ElementType.F32,
        codec);

    public sealed class Reading : BlobModelFileTests
    {
        [Fact]
        public async Task AFileOfAnyWriterGivesTheSameBits()
        {
            var (first, second) = (Values("first"), Values("second"));
            byte[][] forms =
            [
                File(w => w.Add<float>(Layout, first)),
                File(w => w.Add<float>(Layout, first), new SafetensorsWriter { Metadata = new Dictionary<string, string> { ["by"] = "somebody" } }),
                File(w => w.Add<float>(ParameterLayout.Of(("b", [4])), first.AsMemory(15)).Add<float>(ParameterLayout.Of(("a", [5, 3])), first.AsMemory(0, 15))),
                File(w => w.Add<double>(Layout, Array.ConvertAll(first, v => (double)v), ElementType.F64)),
            ];
            float[]? expected = null;
            foreach (var form in forms)
            {
                var model = Model();
                var other = File(w => w.Add<float>(Layout, second));
                Assert.Equal(UpdateCheck.Fine, await model.CheckAsync(Effect(0, await Store(form)).Report, blobs.OpenAsync, default));
                await model.AccumulateAsync(Effect(0, await Store(form)), null, blobs, default);
                await model.AccumulateAsync(Effect(1, await Store(other)), null, blobs, default);
                model.Publish(new Publish(1, 2));
                expected ??= [.. model.State.Current.Parameters];
                Assert.Equal(expected, model.State.Current.Parameters);
            }
        }

        [Fact]
        public async Task AnEncodedUpdateCountsAsItsDecodedOne()
        {
            var codec = UpdateCodecs.Create<float>(new QsgdOptions());
            var message = new System.Buffers.ArrayBufferWriter<byte>();
            codec.Encode(Values("delta"), new SeededRandom(3), message);
            var decoded = new float[Layout.Count];
            codec.DecodeInto(message.WrittenSpan, decoded);
            var (encoded, plain) = (Model(codec: codec), Model());
            var blob = await Store(message.WrittenSpan.ToArray());
            Assert.Equal(UpdateCheck.Fine, await encoded.CheckAsync(Effect(0, blob).Report, blobs.OpenAsync, default));
            await encoded.AccumulateAsync(Effect(0, blob), null, blobs, default);
            await plain.AccumulateAsync(Effect(0, await Store(File(w => w.Add<float>(Layout, decoded)))), null, blobs, default);
            encoded.Publish(new Publish(1, 1));
            plain.Publish(new Publish(1, 1));
            Assert.Equal(plain.State.Current.Parameters, encoded.State.Current.Parameters);
            var cutOff = await Store(message.WrittenSpan[..^1].ToArray());
            Assert.NotEqual("", (await encoded.CheckAsync(Effect(0, cutOff).Report, blobs.OpenAsync, default)).Problem);
        }
    }

    public sealed class Checking : BlobModelFileTests
    {
        [Fact]
        public async Task TellsWhatIsNoUpdateOfThisModel()
        {
            var model = Model();
            foreach (var (bytes, words) in ((byte[], string)[])[
                ([], "safetensors"),
                (File(w => w.Add<float>(ParameterLayout.Of(("a", [5, 3])), new float[15])), "no tensor 'b'"),
                (File(w => w.Add<float>(ParameterLayout.Of(("a", [3, 5]), ("b", [4])), new float[19])), "shape"),
                (File(w => w.Add<float>(Layout, Values("x")))[..^1], "truncated")])
            {
                var check = await model.CheckAsync(Effect(0, await Store(bytes)).Report, blobs.OpenAsync, default);
                Assert.Contains(words, check.Problem, StringComparison.Ordinal);
            }

            var fine = await Store(File(w => w.Add<float>(Layout, Values("x"))));
            Assert.Contains("no use for 'control'", (await model.CheckAsync(Effect(0, fine, ("control", fine)).Report, blobs.OpenAsync, default)).Problem, StringComparison.Ordinal);
        }

        [Theory]
        [InlineData(float.NaN)]
        [InlineData(float.NegativeInfinity)]
        public async Task SeesAValueThatIsNotFiniteInDeltasAndBesideThem(float value)
        {
            var model = Model(objective: () => new ControlVariateServer<float>("control", "change", Layout.Count, 3));
            var (fine, bad) = (Values("x"), Values("x"));
            bad[^1] = value;
            var (fineBlob, badBlob) = (await Store(File(w => w.Add<float>(Layout, fine))), await Store(File(w => w.Add<float>(Layout, bad))));
            Assert.Equal(new UpdateCheck("", true), await model.CheckAsync(Effect(0, fineBlob, ("change", fineBlob)).Report, blobs.OpenAsync, default));
            Assert.Equal(new UpdateCheck("", false), await model.CheckAsync(Effect(0, badBlob, ("change", fineBlob)).Report, blobs.OpenAsync, default));
            Assert.Equal(new UpdateCheck("", false), await model.CheckAsync(Effect(0, fineBlob, ("change", badBlob)).Report, blobs.OpenAsync, default));
            Assert.Contains("'change'", (await model.CheckAsync(Effect(0, fineBlob).Report, blobs.OpenAsync, default)).Problem, StringComparison.Ordinal);
        }
    }
}
