using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Robust;
using static Federated.Aggregation.Tests.Compression.CodecTesting;

namespace Federated.Aggregation.Tests.Compression;

/// <summary>Adding bytes gives the bits of decoding first and adding then, for every codec and kind of aggregator.</summary>
public class EncodedContributionTests
{
    private const int D = 9001;

    public static TheoryData<string> Names => CodecTesting.Names;

    private static IEnumerable<Func<IAggregator<float>>> Aggregators =>
    [
        () => new WeightedMean<float>(D),
        () => new FedNova<float>(D, new FedNovaOptions()),
        () => new NormBoundedMean<float>(new NormBoundingOptions { Bound = 150 }, D),
        () => new CenteredClippingMean<float>(new CenteredClippingOptions(), D),
        () => new RobustAggregator<float>(new CoordinateMedian<float>(), D),
        () => new ShiftedMean<float>(new ShiftedMeanOptions { Clients = 10 }, D),
    ];

    private static Contribution<float> About(int client, ReadOnlySpan<float> delta = default) =>
        new(client, delta, 1) { Sequence = client, LocalSteps = 2, StepWeight = 2, Examples = 5 };

    [Theory]
    [MemberData(nameof(Names))]
    public void Fused_or_not_the_bits_are_the_same(string name)
    {
        var codec = Codec<float>(name);
        foreach (var make in Aggregators)
        {
            var (fused, plain) = (make(), make());
            for (var client = 0; client < 3; client++)
            {
                var message = codec.Encode(Update(D, (ulong)client), (ulong)client);
                fused.AddEncoded(codec, message, About(client), D);
                plain.Add(About(client, codec.Decode(message, D)));
            }

            var (a, b) = (new float[D], new float[D]);
            Assert.Equal(plain.Combine(b).WeightSum, fused.Combine(a).WeightSum);
            Assert.Equal(b.Select(BitConverter.SingleToInt32Bits), a.Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Fact]
    public void A_refused_message_leaves_the_aggregate_as_it_was()
    {
        var codec = Codec<float>("qsgd 3");
        var good = codec.Encode(Update(D));
        var bad = good.ToArray();
        bad[^1] |= 0xF8;
        bad[^2] = 0xFF;
        foreach (var make in Aggregators)
        {
            var aggregator = make();
            aggregator.AddEncoded(codec, good, About(1), D);
            Assert.Throws<AggregationException>(() => aggregator.AddEncoded(codec, bad, About(2), D));
            Assert.Equal(1, aggregator.Count);
            aggregator.AddEncoded(codec, good, About(2), D);
            var alone = make();
            alone.AddEncoded(codec, good, About(1), D);
            alone.AddEncoded(codec, good, About(2), D);
            var (a, b) = (new float[D], new float[D]);
            aggregator.Combine(a);
            alone.Combine(b);
            Assert.Equal(b, a);
        }
    }

    public class ShiftedMeanRule
    {
        [Fact]
        public void Is_the_mean_of_all_clients_shifts_whoever_takes_part()
        {
            const int clients = 4;
            var options = new CompressionOptions { Codec = new TopKOptions { Ratio = 0.2 }, Feedback = new Ef21Options() };
            var encoders = Enumerable.Range(0, clients).Select(_ => UpdateCodecs.CreateEncoder<double>(options, 50)).ToArray();
            var server = new ShiftedMean<double>(new ShiftedMeanOptions { Clients = clients }, 50);
            var result = new double[50];
            for (var round = 0; round < 12; round++)
            {
                for (var i = 0; i < clients; i++)
                {
                    if ((round + i) % 3 != 0)
                    {
                        var update = Update(50, (ulong)((round * clients) + i)).Select(v => (double)v).ToArray();
                        server.AddEncoded(encoders[i].Codec, encoders[i].Encode(update), new Contribution<double>(i, default, 1));
                        encoders[i].Commit();
                    }
                }

                server.Combine(result);
                for (var j = 0; j < 50; j++)
                {
                    Assert.Equal(encoders.Average(e => e.State["shift"].Span[j]), result[j], 1e-12);
                }
            }

            Assert.Equal(result, server.State["shift"].ToArray());
        }

        [Fact]
        public void Refuses_weights() => Assert.Contains("weight 1", Assert.Throws<AggregationException>(() =>
            new ShiftedMean<float>(new ShiftedMeanOptions(), 1).Add(new Contribution<float>(1, [1], 2))).Message, StringComparison.Ordinal);

        [Fact]
        public void Needs_clients() => Assert.Throws<AggregationException>(() => new ShiftedMean<float>(new ShiftedMeanOptions { Clients = 0 }, 1));
    }
}
