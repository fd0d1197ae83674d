using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Randomness;
using Xunit.Sdk;

namespace Federated.Aggregation.Tests;

/// <summary>What holds for every aggregator (algorithms.md §0, universal invariants); a subclass per aggregator and element type.</summary>
public abstract class AggregatorConformance<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    protected const int Dimension = 1500;
    protected const int Clients = 12;

    /// <summary>A new aggregator over updates of that many coordinates.</summary>
    protected abstract IAggregator<T> Create(int dimension);

    /// <summary>c·u_i for all i gives c times the result.</summary>
    protected virtual bool IsLinear => true;

    /// <summary>What n equal updates combine to, relative to one of them (weights 1, one local step).</summary>
    protected virtual double ShareOfEqualUpdates => 1;

    /// <summary>Whether nothing of one combination is left for the next.</summary>
    protected virtual bool ForgetsAfterCombine => true;

    /// <summary>Weight of update i, where weights may differ.</summary>
    protected virtual double Weight(int i) => 1 + i;

    /// <summary>Local steps of update i, where they may differ.</summary>
    protected static int Steps(int i) => 1 + (i % 3);

    /// <summary>What the weights that multiply the updates must sum to, for <see cref="Weight"/> and <see cref="Steps"/> (algorithms.md §0, 7).</summary>
    protected virtual (double Least, double Most) WeightSum => (1, 1);

    /// <summary>Another aggregator, in the state that a checkpoint holds of this one between two combinations.</summary>
    protected virtual IAggregator<T> Restore(IAggregator<T> aggregator)
    {
        var other = Create(Dimension);
        Assert.Equal(aggregator.State.Keys.Order(StringComparer.Ordinal), other.State.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, values) in aggregator.State)
        {
            values.CopyTo(other.State[name]);
        }

        return other;
    }

    /// <summary>The name of the aggregator that is held to this.</summary>
    public string NameUnderTest => Create(1).Name;

    /// <summary>Relative tolerance where bits need not agree.</summary>
    protected virtual double Tolerance => typeof(T) == typeof(float) ? 1e-5 : 1e-11;

    private static T[][] Updates(ulong seed, int dimension = Dimension)
    {
        var random = SeededRandom.Derive(seed, "conformance");
        return [.. Enumerable.Range(0, Clients).Select(_ => Enumerable.Range(0, dimension).Select(_ => T.CreateTruncating(random.NextNormal())).ToArray())];
    }

    private static Contribution<T> Contribution(int client, T[] delta, double weight = 1, int steps = 1) =>
        new(client, delta, weight) { Sequence = client, Examples = weight, LocalSteps = steps, StepWeight = steps };

    private T[] Combine(IAggregator<T> aggregator, T[][] updates, IEnumerable<int> order, Func<int, double> weight, Func<int, int> steps)
    {
        foreach (var i in order)
        {
            aggregator.Add(Contribution(i, updates[i], weight(i), steps(i)));
        }

        var result = new T[updates[0].Length];
        var report = aggregator.Combine(result);
        Assert.InRange(report.Count, 1, updates.Length);
        Assert.True(double.IsFinite(report.WeightSum));
        return result;
    }

    private static void SameBits(T[] expected, T[] actual) =>
        Assert.True(MemoryMarshal.AsBytes(expected.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(actual.AsSpan())), "the bits differ");

    private void Near(IEnumerable<T> expected, T[] actual)
    {
        var i = 0;
        foreach (var e in expected)
        {
            var (x, y) = (double.CreateTruncating(e), double.CreateTruncating(actual[i]));
            Assert.True(Math.Abs(x - y) <= Tolerance * Math.Max(1, Math.Abs(x)), $"coordinate {i}: {x} and {y}");
            i++;
        }
    }

    [Fact]
    public void The_order_of_updates_does_not_change_a_bit()
    {
        var updates = Updates(1);
        var order = Enumerable.Range(0, Clients).ToArray();
        var expected = Combine(Create(Dimension), updates, order, Weight, Steps);
        var random = SeededRandom.Derive(1, "order");
        for (var run = 0; run < 5; run++)
        {
            random.Shuffle<int>(order);
            SameBits(expected, Combine(Create(Dimension), updates, order, Weight, Steps));
        }
    }

    [Fact]
    public void No_change_from_anybody_is_no_change()
    {
        var updates = Enumerable.Range(0, Clients).Select(_ => new T[Dimension]).ToArray();
        var result = Combine(Create(Dimension), updates, Enumerable.Range(0, Clients), _ => 1, i => 1 + i);
        Assert.All(result, x => Assert.Equal(T.Zero, x));
    }

    [Fact]
    public void Equal_updates_after_one_step_give_that_update()
    {
        var update = Updates(2)[0];
        var result = Combine(Create(Dimension), [.. Enumerable.Repeat(update, Clients)], Enumerable.Range(0, Clients), _ => 1, _ => 1);
        Near(update.Select(x => x * T.CreateTruncating(ShareOfEqualUpdates)), result);
    }

    [Fact]
    public void Scaled_updates_give_a_scaled_result_unless_something_is_bounded()
    {
        var updates = Updates(3);
        var factor = T.CreateTruncating(-8);
        var order = Enumerable.Range(0, Clients).ToArray();
        var once = Combine(Create(Dimension), updates, order, Weight, Steps);
        var scaled = Combine(Create(Dimension), [.. updates.Select(u => u.Select(x => x * factor).ToArray())], order, Weight, Steps);
        var expected = once.Select(x => x * factor);
        if (IsLinear)
        {
            Near(expected, scaled);
        }
        else
        {
            Assert.ThrowsAny<XunitException>(() => Near(expected, scaled));
        }
    }

    [Fact]
    public void A_combination_starts_afresh_unless_it_has_a_memory()
    {
        // All to a place far away first, and from one more: whoever remembers either ends elsewhere.
        var far = Enumerable.Repeat(Updates(4)[0].Select(x => x * T.CreateTruncating(30)).ToArray(), Clients).ToArray();
        var some = Enumerable.Range(1, Clients - 1).ToArray();
        var expected = Combine(Create(Dimension), Updates(5), some, Weight, Steps);
        var aggregator = Create(Dimension);
        Combine(aggregator, far, Enumerable.Range(0, Clients), _ => 1, _ => 1);
        Assert.Equal(0, aggregator.Count);
        var second = Combine(aggregator, Updates(5), some, Weight, Steps);
        if (ForgetsAfterCombine)
        {
            SameBits(expected, second);
        }
        else
        {
            Assert.ThrowsAny<XunitException>(() => SameBits(expected, second));
        }
    }

    [Fact]
    public void A_restored_one_goes_on_to_the_same_bits()
    {
        var order = Enumerable.Range(0, Clients).ToArray();
        var aggregator = Create(Dimension);
        Combine(aggregator, Updates(8), order, Weight, Steps);
        Combine(aggregator, Updates(9), order, Weight, Steps);
        var restored = Restore(aggregator);
        SameBits(Combine(aggregator, Updates(10), order, Weight, Steps), Combine(restored, Updates(10), order, Weight, Steps));
    }

    [Fact]
    public void The_weights_sum_to_what_is_prescribed()
    {
        var aggregator = Create(Dimension);
        var updates = Updates(11);
        for (var i = 0; i < Clients; i++)
        {
            aggregator.Add(Contribution(i, updates[i], Weight(i), Steps(i)));
        }

        var (least, most) = WeightSum;
        Assert.InRange(aggregator.Combine(new T[Dimension]).WeightSum, least - 1e-12, most + 1e-12);
    }

    [Fact]
    public void The_delta_is_not_needed_after_it_was_added()
    {
        var updates = Updates(6);
        var expected = Combine(Create(Dimension), updates, Enumerable.Range(0, Clients), _ => 1, _ => 1);
        var aggregator = Create(Dimension);
        for (var i = 0; i < Clients; i++)
        {
            var delta = (T[])updates[i].Clone();
            aggregator.Add(Contribution(i, delta));
            Assert.Equal(i + 1, aggregator.Count);
            Array.Fill(delta, T.NaN);
        }

        var result = new T[Dimension];
        aggregator.Combine(result);
        SameBits(expected, result);
    }

    [Fact]
    public void Encoded_updates_give_the_bits_of_the_decoded_ones()
    {
        var updates = Updates(7);
        CodecOptions[] codecs =
        [
            new IdentityOptions(), new Float16Options(), new BFloat16Options(), new TopKOptions(), new RandomKOptions(), new QsgdOptions(), new UniformOptions(),
        ];
        foreach (var codec in codecs.Select(UpdateCodecs.Create<T>))
        {
            var (fused, plain) = (Create(Dimension), Create(Dimension));
            var decoded = new T[Dimension];
            for (var i = 0; i < Clients; i++)
            {
                var message = new ArrayBufferWriter<byte>();
                codec.Encode(updates[i], SeededRandom.Derive(7, codec.Name, i), message);
                codec.DecodeInto(message.WrittenSpan, decoded.AsSpan());
                fused.AddEncoded(codec, message.WrittenSpan, Contribution(i, [], Weight(i), 2), Dimension);
                plain.Add(Contribution(i, decoded, Weight(i), 2));

                // A refused message leaves no trace.
                var damaged = message.WrittenSpan[..^1].ToArray();
                Assert.Throws<AggregationException>(() => fused.AddEncoded(codec, damaged, Contribution(i, [], Weight(i), 2), Dimension));
                Assert.Equal(i + 1, fused.Count);
            }

            var (expected, actual) = (new T[Dimension], new T[Dimension]);
            Assert.Equal(plain.Combine(expected).WeightSum, fused.Combine(actual).WeightSum);
            SameBits(expected, actual);
        }
    }

    [Fact]
    public void Nothing_cannot_be_combined() => Assert.Throws<AggregationException>(() => Create(3).Combine(new T[3]));

    [Fact]
    public void Lengths_must_agree()
    {
        var aggregator = Create(3);
        Refused(() => aggregator.Add(Contribution(0, new T[2])));
        aggregator.Add(Contribution(0, new T[3]));
        Refused(() => aggregator.Combine(new T[4]));

        static void Refused(Action action) => Assert.True(Record.Exception(action) is ArgumentException or AggregationException);
    }

    [Fact]
    public void It_has_a_name() => Assert.NotEmpty(Create(1).Name);
}
