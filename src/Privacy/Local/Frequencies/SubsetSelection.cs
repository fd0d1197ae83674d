using System.Numerics;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>Subset selection: a uniform set of d items that holds the own one with probability d·e^ε/(d·e^ε + k − d), else does not.</summary>
/// <remarks>
/// Ye and Barg, "Optimal Schemes for Discrete Distribution Estimation under Locally Differential Privacy", IEEE Trans. Inf. Theory 2018,
/// https://arxiv.org/abs/1702.00610; d = max(1, round(k/(e^ε + 1))). Optimal in error. q = p(d−1)/(k−1) + (1−p)d/(k−1).
/// Deviation: integer coin; reports are bitmaps of k bits. Cost: O(k).
/// </remarks>
public sealed class SubsetSelection : FrequencyOracle
{
    private readonly ulong without;

    public SubsetSelection(double epsilon, int items)
        : base(epsilon, items)
    {
        SubsetSize = Math.Max(1, (int)Math.Round(items / (Math.Exp(epsilon) + 1)));
        var odds = Math.Exp(-epsilon) * (items - SubsetSize) / SubsetSize;
        without = CoinThreshold.AtLeast(odds / (1 + odds));
        Epsilon = Math.Min(epsilon, CoinThreshold.LogOddsAgainst(without) + Math.Log((double)(items - SubsetSize) / SubsetSize));
    }

    public override string Name => FrequencyOracles.Subset;

    public override double Epsilon { get; }

    /// <summary>d.</summary>
    public int SubsetSize { get; }

    public override double TrueSupport => CoinThreshold.Complement(without);

    public override double FalseSupport =>
        ((TrueSupport * (SubsetSize - 1)) + (CoinThreshold.Probability(without) * SubsetSize)) / (Items - 1);

    public override int ReportBytes => (Items + 7) / 8;

    public override int ReportBits =>
        Math.Max(1, (int)Math.Ceiling((GammaFunction.LogBinomial(Items, SubsetSize) / Math.Log(2)) - 1e-9));

    public override double Probability(int item, ReadOnlySpan<byte> report) => Contains(report, item)
        ? TrueSupport * Math.Exp(-GammaFunction.LogBinomial(Items - 1, SubsetSize - 1))
        : CoinThreshold.Probability(without) * Math.Exp(-GammaFunction.LogBinomial(Items - 1, SubsetSize));

    private protected override void Write(int item, Span<byte> report, IRandomSource random)
    {
        var holds = !ExactBernoulli.Threshold(random, without);
        if (holds)
        {
            Add(report, item);
        }

        foreach (var index in random.NextSubset(Items - 1, holds ? SubsetSize - 1 : SubsetSize))
        {
            Add(report, index < item ? index : index + 1);
        }
    }

    private protected override void Count(ReadOnlySpan<byte> report, Span<long> state)
    {
        var size = 0;
        foreach (var b in report)
        {
            size += BitOperations.PopCount(b);
        }

        if (size != SubsetSize || (Items % 8 != 0 && report[^1] >> (Items % 8) != 0))
        {
            throw Malformed(Name, $"{size} items, where each report has {SubsetSize} of {Items}");
        }

        for (var v = 0; v < state.Length; v++)
        {
            state[v] += Contains(report, v) ? 1 : 0;
        }
    }

    private static bool Contains(ReadOnlySpan<byte> report, int item) => (report[item / 8] >> (item % 8) & 1) != 0;

    private static void Add(Span<byte> report, int item) => report[item / 8] |= (byte)(1 << (item % 8));
}
