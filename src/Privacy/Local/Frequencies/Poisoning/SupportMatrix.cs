using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>Which reports support which values, a bit each: a column of bits a value, for counting who supports several at once.</summary>
/// <remarks>Cost: n·k bits; a joint count of z values costs z·n/64 word operations.</remarks>
public sealed class SupportMatrix
{
    private readonly ulong[][] columns;

    private SupportMatrix(int values, int reports, double trueSupport, double falseSupport)
    {
        (Values, Reports, TrueSupport, FalseSupport) = (values, reports, trueSupport, falseSupport);
        columns = [.. Enumerable.Range(0, values).Select(_ => new ulong[(reports + 63) / 64])];
    }

    /// <summary>k.</summary>
    public int Values { get; }

    /// <summary>n.</summary>
    public int Reports { get; }

    /// <summary>p of the oracle.</summary>
    public double TrueSupport { get; }

    /// <summary>q of the oracle.</summary>
    public double FalseSupport { get; }

    /// <summary>Of unary or hashed reports, all well formed.</summary>
    public static SupportMatrix Of(FrequencyOracle oracle, IReadOnlyList<ReadOnlyMemory<byte>> reports)
    {
        ArgumentNullException.ThrowIfNull(oracle);
        ArgumentNullException.ThrowIfNull(reports);
        var matrix = new SupportMatrix(oracle.Items, reports.Count, oracle.TrueSupport, oracle.FalseSupport);
        switch (oracle)
        {
            case UnaryEncoding:
                for (var i = 0; i < reports.Count; i++)
                {
                    var report = reports[i].Span;
                    for (var v = 0; v < oracle.Items; v++)
                    {
                        matrix.Set(v, i, (report[v / 8] >> (v % 8) & 1) != 0);
                    }
                }

                break;
            case LocalHashing hashing:
                matrix.Fill(hashing, i => hashing.Read(reports[i].Span), [.. Enumerable.Range(0, oracle.Items).Select(v => (ulong)v)]);
                break;
            default:
                throw new PrivacyException($"Who supports several values at once tells of unary and hashed reports; a report of '{oracle.Name}' supports too few or fixed sets.");
        }

        return matrix;
    }

    /// <summary>Of a group's prefix reports, over its candidates.</summary>
    public static SupportMatrix Of(PrefixExtension protocol, IReadOnlyList<PrefixReport> reports, ulong[] candidates)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(candidates);
        var hashing = protocol.Hashing;
        var matrix = new SupportMatrix(candidates.Length, reports.Count, hashing.TrueSupport, hashing.FalseSupport);
        matrix.Fill(hashing, i => (reports[i].Seed, reports[i].Bucket), candidates);
        return matrix;
    }

    /// <summary>Whether a report supports a value.</summary>
    public bool this[int value, int report] => (columns[value][report >> 6] >> (report & 63) & 1) != 0;

    /// <summary>Reports that support the value.</summary>
    public long Count(int value) => PopCount(columns[value]);

    /// <summary>Reports that support both.</summary>
    public long Joint(int first, int second)
    {
        long count = 0;
        var (a, b) = (columns[first], columns[second]);
        for (var i = 0; i < a.Length; i++)
        {
            count += BitOperations.PopCount(a[i] & b[i]);
        }

        return count;
    }

    /// <summary>The reports that support all values of the set, as bits.</summary>
    internal ulong[] All(IReadOnlyList<int> set)
    {
        var rows = columns[set[0]].ToArray();
        foreach (var value in set.Skip(1))
        {
            TensorPrimitives.BitwiseAnd(rows, columns[value], rows);
        }

        return rows;
    }

    /// <summary>How many of the given reports support the value.</summary>
    internal long CountAmong(ReadOnlySpan<ulong> rows, int value)
    {
        long count = 0;
        var column = columns[value];
        for (var i = 0; i < column.Length; i++)
        {
            count += BitOperations.PopCount(rows[i] & column[i]);
        }

        return count;
    }

    internal static long PopCount(ReadOnlySpan<ulong> rows)
    {
        long count = 0;
        foreach (var word in rows)
        {
            count += BitOperations.PopCount(word);
        }

        return count;
    }

    private void Set(int value, int report, bool supported) => columns[value][report >> 6] |= (supported ? 1UL : 0) << (report & 63);

    private void Fill(LocalHashing hashing, Func<int, (ulong Seed, int Bucket)> report, ulong[] values)
    {
        var counts = new long[values.Length];
        for (var i = 0; i < Reports; i++)
        {
            var (seed, bucket) = report(i);
            counts.AsSpan().Clear();
            hashing.AddSupport(seed, bucket, values, counts);
            for (var v = 0; v < values.Length; v++)
            {
                Set(v, i, counts[v] != 0);
            }
        }
    }
}
