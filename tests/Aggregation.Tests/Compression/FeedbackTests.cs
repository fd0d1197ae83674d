using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using static Federated.Aggregation.Tests.Compression.CodecTesting;

namespace Federated.Aggregation.Tests.Compression;

public class FeedbackTests
{
    private static TopKCodec<double> Top1(int d) => new(new TopKOptions { Ratio = 1.0 / d });

    private static IUpdateEncoder<double> Make(string feedback, int d, double strength = 0.1) => UpdateCodecs.CreateEncoder<double>(
        new CompressionOptions { Codec = new TopKOptions { Ratio = 1.0 / d }, Feedback = Kind(feedback, strength) }, d);

    private static FeedbackOptions Kind(string name, double strength = 0.1) => name switch
    {
        UpdateCodecs.ErrorFeedback => new ErrorFeedbackOptions(),
        UpdateCodecs.Ef21 => new Ef21Options(),
        _ => new EControlOptions { Strength = strength },
    };

    private static double[] Send(IUpdateEncoder<double> encoder, double[] update)
    {
        var message = encoder.Encode(update);
        encoder.Commit();
        return encoder.Codec.Decode(message, update.Length);
    }

    /// <summary>
    /// Golden traces of algorithms.md §H1 (compression, 2-D): f = ½xᵀ[[1,.5],[.5,2]]x, x⁰ = (2, −1), γ = 0.25, top-1, one client.
    /// </summary>
    public class GoldenTraces
    {
        private const double Step = 0.25;

        [Fact]
        public void Ef21() => Shifted(Make(UpdateCodecs.Ef21, 2), [
            [1.625, -0.75], [1.25, -0.578125], [1.009765625, -0.40625], [0.76953125, -0.3293457031], [0.6183166504, -0.2524414062],
            [0.4952926636, -0.1755371094],
        ]);

        [Fact]
        public void EControl_without_strength_is_ef21() => Shifted(Make(UpdateCodecs.EControl, 2, strength: 0), [
            [1.625, -0.75], [1.25, -0.578125], [1.009765625, -0.40625], [0.76953125, -0.3293457031], [0.6183166504, -0.2524414062],
            [0.4952926636, -0.1755371094],
        ]);

        [Fact]
        public void EControl() => Shifted(Make(UpdateCodecs.EControl, 2, strength: 0.5), [
            [1.625, -0.75], [1.25, -0.578125], [1.041015625, -0.40625], [0.83203125, -0.3527832031], [0.6835021973, -0.2993164062],
            [0.5577316284, -0.2458496094],
        ]);

        [Fact]
        public void ErrorFeedback14()
        {
            double[][] expected = [
                [1.625, -1], [1.625, -0.453125], [0.994140625, -0.453125], [0.8022460938, -0.453125], [0.8022460938, -0.2011108398],
                [0.4829025269, -0.2011108398],
            ];
            var encoder = Make(UpdateCodecs.ErrorFeedback, 2);
            double[] x = [2, -1];
            foreach (var point in expected)
            {
                x = Move(x, Send(encoder, Gradient(x)));
                Near(point, x);
            }
        }

        // h⁰ = ∇f(x⁰) on both sides: the first step moves along it, uncompressed.
        private static void Shifted(IUpdateEncoder<double> encoder, double[][] expected)
        {
            double[] x = [2, -1];
            var shift = Gradient(x);
            shift.CopyTo(encoder.State["shift"]);
            for (var t = 0; t < expected.Length; t++)
            {
                if (t > 0)
                {
                    shift = [.. shift.Zip(Send(encoder, Gradient(x)), static (h, c) => h + c)];
                }

                x = Move(x, shift);
                Near(expected[t], x);
                Assert.Equal(shift, encoder.State["shift"].ToArray());
            }
        }

        private static double[] Gradient(double[] x) => [x[0] + (0.5 * x[1]), (0.5 * x[0]) + (2 * x[1])];

        private static double[] Move(double[] x, double[] direction) => [x[0] - (Step * direction[0]), x[1] - (Step * direction[1])];

        // The reference prints ten decimals.
        private static void Near(double[] expected, double[] actual)
        {
            Assert.Equal(expected[0], actual[0], 1e-9);
            Assert.Equal(expected[1], actual[1], 1e-9);
        }
    }

    /// <summary>
    /// algorithms.md §E2: f_i(x) = ⟨a_i,x⟩² + ¼‖x‖² on three clients; top-1 without memory multiplies x by exactly 1 + 11γ/6 per step.
    /// </summary>
    public class Counterexample
    {
        private const double Step = 0.01;
        private static readonly double[][] Directions = [[-3, 2, 2], [2, -3, 2], [2, 2, -3]];

        [Fact]
        public void Top_1_without_memory_diverges()
        {
            double[] x = [1, 1, 1];
            for (var t = 0; t < 10; t++)
            {
                var start = x;
                x = Step3(x, i => Top1(3).Decode(Top1(3).Encode(Gradient(i, start)), 3));
            }

            Assert.All(x, v => Assert.Equal(1.1992220316, v, 1e-9));
        }

        [Theory]
        [InlineData(UpdateCodecs.ErrorFeedback)]
        [InlineData(UpdateCodecs.Ef21)]
        [InlineData(UpdateCodecs.EControl)]
        public void Top_1_with_memory_converges(string feedback)
        {
            var encoders = Enumerable.Range(0, 3).Select(_ => Make(feedback, 3)).ToArray();
            double[] x = [1, 1, 1];
            for (var t = 0; t < 4000; t++)
            {
                var start = x;
                x = Step3(x, i =>
                {
                    var sent = Send(encoders[i], Gradient(i, start));
                    return feedback == UpdateCodecs.ErrorFeedback ? sent : encoders[i].State["shift"].ToArray();
                });
            }

            Assert.True(x.Sum(v => v * v) < 1e-16, $"‖x‖² is {x.Sum(v => v * v)}");
        }

        private static double[] Gradient(int i, double[] x)
        {
            var inner = 2 * Directions[i].Zip(x, static (a, b) => a * b).Sum();
            return [.. x.Select((v, j) => (inner * Directions[i][j]) + (0.5 * v))];
        }

        private static double[] Step3(double[] x, Func<int, double[]> direction)
        {
            var all = new[] { direction(0), direction(1), direction(2) };
            return [.. x.Select((v, j) => v - (Step * (all[0][j] + all[1][j] + all[2][j]) / 3))];
        }
    }

    public class Memory
    {
        public static TheoryData<string> WithMemory => [UpdateCodecs.ErrorFeedback, UpdateCodecs.Ef21, UpdateCodecs.EControl];

        [Fact]
        public void What_was_sent_and_what_is_kept_is_all_there_was()
        {
            // Multiples of 2^-6 add up without rounding, so that conservation is exact.
            var encoder = Make(UpdateCodecs.ErrorFeedback, 5);
            var (given, sent) = (new double[5], new double[5]);
            for (ulong t = 0; t < 200; t++)
            {
                var update = Update(5, t).Select(v => Math.Round(v * 64) / 64).ToArray();
                given = [.. given.Zip(update, static (a, b) => a + b)];
                sent = [.. sent.Zip(Send(encoder, update), static (a, b) => a + b)];
                Assert.Equal(given, sent.Zip(encoder.State["error"].ToArray(), static (a, b) => a + b));
            }
        }

        [Theory]
        [MemberData(nameof(WithMemory))]
        public void Moves_only_when_committed(string feedback)
        {
            var encoder = Make(feedback, 4);
            Send(encoder, [4, 3, 2, 1]);
            var before = encoder.State.ToDictionary(s => s.Key, s => s.Value.ToArray());
            var first = encoder.Encode([1, 2, 3, 5]);
            Assert.NotEmpty(before);
            Assert.All(before, s => Assert.Equal(s.Value, encoder.State[s.Key].ToArray()));
            encoder.Discard();
            Assert.Throws<InvalidOperationException>(encoder.Commit);
            Assert.Equal(first, encoder.Encode([1, 2, 3, 5]));
            encoder.Commit();
            Assert.NotEqual(before.Values.SelectMany(v => v), encoder.State.Values.SelectMany(v => v.ToArray()));
            Assert.Throws<InvalidOperationException>(encoder.Commit);
        }

        [Theory]
        [MemberData(nameof(WithMemory))]
        public void A_refused_update_leaves_no_message_to_commit(string feedback)
        {
            var encoder = Make(feedback, 2);
            encoder.Encode([1, 2]);
            Assert.Throws<AggregationException>(() => encoder.Encode([double.NaN, 2]));
            Assert.Throws<InvalidOperationException>(encoder.Commit);
        }

        [Theory]
        [MemberData(nameof(WithMemory))]
        public void Restored_it_continues_to_the_bit(string feedback)
        {
            var (whole, resumed) = (Make(feedback, 6), Make(feedback, 6));
            for (ulong t = 0; t < 5; t++)
            {
                Send(whole, [.. Update(6, t).Select(v => (double)v)]);
            }

            foreach (var (name, vector) in whole.State)
            {
                vector.CopyTo(resumed.State[name]);
            }

            Assert.Equal(Send(whole, [1, 2, 3, 4, 5, 6]), Send(resumed, [1, 2, 3, 4, 5, 6]));
        }

        [Theory]
        [InlineData(UpdateCodecs.Ef21)]
        [InlineData(UpdateCodecs.EControl)]
        public void Without_loss_the_shift_is_the_update(string feedback)
        {
            var encoder = UpdateCodecs.CreateEncoder<double>(new CompressionOptions { Feedback = Kind(feedback) }, 3);
            Send(encoder, [1, -2, 0.5]);
            Send(encoder, [3, 0.25, 8]);
            Assert.Equal([3, 0.25, 8], encoder.State["shift"].ToArray());
        }

        [Theory]
        [MemberData(nameof(WithMemory))]
        public void A_codec_that_does_not_contract_is_refused(string feedback)
        {
            var error = Assert.Throws<AggregationException>(() => UpdateCodecs.CreateEncoder<float>(new CompressionOptions { Codec = Options("uniform 1"), Feedback = Kind(feedback) }, 100));
            Assert.Contains("contractive", error.Message, StringComparison.Ordinal);
            Assert.Contains("63", error.Message, StringComparison.Ordinal);
            UpdateCodecs.CreateEncoder<float>(new CompressionOptions { Codec = Options("uniform 1 contractive"), Feedback = Kind(feedback) }, 100);
        }

        [Fact]
        public void None_needs_nothing_and_keeps_nothing()
        {
            var encoder = UpdateCodecs.CreateEncoder<float>(new CompressionOptions { Codec = Options("uniform 1") }, 100);
            var update = Update(100);
            Assert.Equal(encoder.Codec.Encode(update, 3), encoder.Encode(update, 3));
            encoder.Commit();
            Assert.Empty(encoder.State);
        }

        [Fact]
        public void An_unknown_feedback_is_answered_with_the_known_ones() => Assert.Contains(
            UpdateCodecs.EControl,
            Assert.Throws<AggregationException>(() => UpdateCodecs.CreateEncoder<float>(new CompressionOptions { Feedback = null! }, 1)).Message,
            StringComparison.Ordinal);
    }
}
