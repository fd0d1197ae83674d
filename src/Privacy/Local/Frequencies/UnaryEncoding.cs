using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// Unary encoding: a bit for each item, the own one kept with probability p and every other one raised with probability q. Optimised:
/// p = ½, q = 1/(e^ε + 1). Symmetric (one-time RAPPOR): p = 1 − q = e^(ε/2)/(e^(ε/2) + 1).
/// </summary>
/// <remarks>
/// Wang, Blocki, Li, Jha, "Locally Differentially Private Protocols for Frequency Estimation", USENIX Security 2017, §4.2; Erlingsson, Pihur,
/// Korolova, "RAPPOR", CCS 2014. ε = ln(p(1−q)/(q(1−p))). Deviation: integer coins. Cost: k coins of 64 bits a report.
/// </remarks>
public sealed class UnaryEncoding : FrequencyOracle
{
    private const ulong OneHalf = 1UL << 63;
    private readonly bool symmetric;
    private readonly ulong raise;

    public UnaryEncoding(double epsilon, int items, bool symmetric = false)
        : base(epsilon, items)
    {
        this.symmetric = symmetric;
        var odds = Math.Exp(symmetric ? -epsilon / 2 : -epsilon);
        raise = CoinThreshold.AtLeast(odds / (1 + odds));
        Epsilon = Math.Min(epsilon, CoinThreshold.LogOddsAgainst(raise) * (symmetric ? 2 : 1));
    }

    public override string Name => symmetric ? FrequencyOracles.SymmetricUnary : FrequencyOracles.OptimizedUnary;

    public override double Epsilon { get; }

    public override double TrueSupport => symmetric ? CoinThreshold.Complement(raise) : 0.5;

    public override double FalseSupport => CoinThreshold.Probability(raise);

    public override int ReportBytes => (Items + 7) / 8;

    public override int ReportBits => Items;

    public override double Probability(int item, ReadOnlySpan<byte> report)
    {
        var probability = 1.0;
        for (var v = 0; v < Items; v++)
        {
            var raised = (report[v / 8] >> (v % 8) & 1) != 0;
            var p = v == item ? TrueSupport : FalseSupport;
            probability *= raised ? p : v == item || !symmetric ? 1 - p : CoinThreshold.Complement(raise);
        }

        return probability;
    }

    /// <summary>The range of set bits that all but a 10⁻⁹ of honest reports lie in; others are likely crafted (privacy.md §3.6).</summary>
    public (int Least, int Most) HonestWeight()
    {
        var mean = TrueSupport + ((Items - 1) * FalseSupport);
        var deviation = Math.Sqrt((TrueSupport * (1 - TrueSupport)) + ((Items - 1) * FalseSupport * (1 - FalseSupport)));

        // Bernstein's inequality at 10⁻⁹/2 a side: valid for any n, a little wide for small ones.
        var log = Math.Log(2e9);
        var reach = (log / 3) + Math.Sqrt((log * log / 9) + (2 * log * deviation * deviation));
        return (Math.Max(0, (int)Math.Floor(mean - reach)), Math.Min(Items, (int)Math.Ceiling(mean + reach)));
    }

    /// <summary>The number of ones in a report.</summary>
    public static int Weight(ReadOnlySpan<byte> report)
    {
        var weight = 0;
        foreach (var bits in report)
        {
            weight += BitOperations.PopCount(bits);
        }

        return weight;
    }

    private protected override void Write(int item, Span<byte> report, IRandomSource random)
    {
        // A word of randomness a bit, drawn by the block: the source is asked once for many.
        Span<ulong> coins = stackalloc ulong[128];
        for (var start = 0; start < Items; start += coins.Length)
        {
            random.Fill(MemoryMarshal.AsBytes(coins));
            for (var v = start; v < Math.Min(Items, start + coins.Length); v++)
            {
                var coin = coins[v - start];
                var raised = v != item ? coin < raise : symmetric ? coin >= raise : coin < OneHalf;
                report[v / 8] |= (byte)((raised ? 1 : 0) << (v % 8));
            }
        }

        coins.Clear();
    }

    private protected override void Count(ReadOnlySpan<byte> report, Span<long> state)
    {
        if (Items % 8 != 0 && report[^1] >> (Items % 8) != 0)
        {
            throw Malformed(Name, $"bits are set beyond item {Items - 1}");
        }

        for (var i = 0; i < report.Length; i++)
        {
            for (uint bits = report[i]; bits != 0; bits &= bits - 1)
            {
                state[(8 * i) + BitOperations.TrailingZeroCount(bits)]++;
            }
        }
    }
}
