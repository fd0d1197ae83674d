using System.Buffers.Binary;
using System.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>Generalised randomised response: the item itself, or with probability (k−1)/(e^ε + k − 1) another one chosen uniformly.</summary>
/// <remarks>
/// Kairouz, Bonawitz, Ramage, "Discrete Distribution Estimation under Local Privacy", ICML 2016, https://arxiv.org/abs/1602.07387.
/// p = e^ε/(e^ε + k − 1), q = 1/(e^ε + k − 1). Deviation: integer coin, rounded towards more noise. Cost: O(1).
/// </remarks>
public sealed class GeneralizedRandomizedResponse : FrequencyOracle
{
    private readonly ulong lie;

    public GeneralizedRandomizedResponse(double epsilon, int items)
        : base(epsilon, items)
    {
        lie = LieThreshold(epsilon, items);
        Epsilon = Math.Min(epsilon, CoinThreshold.LogOddsAgainst(lie) + Math.Log(items - 1));
    }

    public override string Name => FrequencyOracles.RandomizedResponse;

    public override double Epsilon { get; }

    public override double TrueSupport => CoinThreshold.Complement(lie);

    public override double FalseSupport => CoinThreshold.Probability(lie) / (Items - 1);

    public override int ReportBytes => sizeof(int);

    public override int ReportBits => BitOperations.Log2((uint)Items - 1) + 1;

    public override double Probability(int item, ReadOnlySpan<byte> report) =>
        BinaryPrimitives.ReadInt32LittleEndian(report) == item ? TrueSupport : FalseSupport;

    /// <summary>Pr[lie] ≥ (k−1)·e^−ε/(1 + (k−1)e^−ε).</summary>
    internal static ulong LieThreshold(double epsilon, int items)
    {
        var odds = (items - 1) * Math.Exp(-epsilon);
        return CoinThreshold.AtLeast(odds / (1 + odds));
    }

    /// <summary>The item, or another one uniformly.</summary>
    internal static int Respond(int item, int items, ulong lie, IRandomSource random)
    {
        if (!ExactBernoulli.Threshold(random, lie))
        {
            return item;
        }

        var other = random.NextBelow(items - 1);
        return other < item ? other : other + 1;
    }

    private protected override void Write(int item, Span<byte> report, IRandomSource random) =>
        BinaryPrimitives.WriteInt32LittleEndian(report, Respond(item, Items, lie, random));

    private protected override void Count(ReadOnlySpan<byte> report, Span<long> state)
    {
        var item = BinaryPrimitives.ReadInt32LittleEndian(report);
        if ((uint)item >= (uint)Items)
        {
            throw Malformed(Name, $"item {item} of {Items}");
        }

        state[item]++;
    }
}
