using System.Buffers;
using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Models;

public static class ModelStateTests
{
    private const int D = 700;

    public sealed class AccumulateEncoded
    {
        public static TheoryData<AggregatorOptions, DeltaBasis> Aggregates => new()
        {
            { new WeightedMeanOptions(), DeltaBasis.BaseVersion },
            { new WeightedMeanOptions(), DeltaBasis.CurrentVersion },
            { new MedianOptions(), DeltaBasis.BaseVersion },
            { new ShiftedMeanOptions { Clients = 3 }, DeltaBasis.BaseVersion },
            { new Federated.Aggregation.Anarchic.AnarchicMemoryOptions(), DeltaBasis.BaseVersion },
        };

        [Theory]
        [MemberData(nameof(Aggregates))]
        public void Gives_the_bits_of_decoding_first(AggregatorOptions options, DeltaBasis basis)
        {
            var codec = UpdateCodecs.Create<float>(new TopKOptions { Ratio = 0.1 });
            var (encoded, decoded) = (State(options), State(options));
            var random = new SeededRandom(1);
            var baseModel = Values(random);
            for (var version = 1; version <= 3; version++)
            {
                for (var client = 0; client < 3; client++)
                {
                    var message = new ArrayBufferWriter<byte>();
                    codec.Encode(Values(random), random, message);
                    var delta = new float[D];
                    codec.DecodeInto(message.WrittenSpan, delta);
                    var effect = Effect(client, (version * 3) + client, staleness: client, basis);
                    encoded.AccumulateEncoded(effect, codec, message.WrittenSpan, baseModel);
                    decoded.Accumulate(effect, delta, baseModel);
                }

                encoded.Publish(new Publish(version, 3));
                decoded.Publish(new Publish(version, 3));
                Assert.Equal(decoded.Current.Parameters, encoded.Current.Parameters);
            }
        }

        [Fact]
        public void Leaves_no_trace_of_a_message_that_is_refused()
        {
            var codec = UpdateCodecs.Create<float>(new TopKOptions { Ratio = 0.1 });
            var (hurt, whole) = (State(new WeightedMeanOptions()), State(new WeightedMeanOptions()));
            var random = new SeededRandom(2);
            var message = new ArrayBufferWriter<byte>();
            codec.Encode(Values(random), random, message);
            foreach (var basis in (DeltaBasis[])[DeltaBasis.BaseVersion, DeltaBasis.CurrentVersion])
            {
                Assert.Throws<AggregationException>(
                    () => hurt.AccumulateEncoded(Effect(0, 1, 1, basis), codec, message.WrittenSpan[..^1], new float[D]));
            }

            hurt.AccumulateEncoded(Effect(0, 1, 0, DeltaBasis.BaseVersion), codec, message.WrittenSpan, []);
            whole.AccumulateEncoded(Effect(0, 1, 0, DeltaBasis.BaseVersion), codec, message.WrittenSpan, []);
            hurt.Publish(new Publish(1, 1));
            whole.Publish(new Publish(1, 1));
            Assert.Equal(whole.Current.Parameters, hurt.Current.Parameters);
        }
    }

    private static ModelState<float> State(AggregatorOptions aggregator) =>
        new(new float[D], Aggregators.Create<float>(aggregator, D), new Sgd<float>(new()));

    private static float[] Values(SeededRandom random)
    {
        var values = new float[D];
        for (var i = 0; i < D; i++)
        {
            values[i] = (float)(random.NextDouble() - 0.5);
        }

        return values;
    }

    private static Accumulate Effect(int client, long id, int staleness, DeltaBasis basis) => new(
        new Assignment(new AssignmentId(id), new ClientId(client), 0, LocalWork.OfSteps(1), 0, double.PositiveInfinity),
        new UpdateReport { Examples = 10, LocalSteps = 1 }, 1, staleness, basis);
}
