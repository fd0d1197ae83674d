using System.Buffers.Binary;
using System.Numerics;
using Federated.Privacy.Local.Frequencies;

namespace Federated.Privacy.Audit;

/// <summary>All reports that a frequency oracle can send, for exact audits; for local hashing, all under one seed that parts the items.</summary>
internal static class OracleReports
{
    public static IEnumerable<byte[]> Enumerate(FrequencyOracle oracle)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oracle.Items, 16, nameof(oracle));
        return oracle switch
        {
            GeneralizedRandomizedResponse => Indices(oracle.Items),
            HadamardResponse hadamard => Indices(hadamard.Size),
            LocalHashing hashing => Buckets(hashing),
            SubsetSelection subset => Bitmaps(oracle).Where(r => r.Sum(b => BitOperations.PopCount(b)) == subset.SubsetSize),
            _ => Bitmaps(oracle),
        };
    }

    private static IEnumerable<byte[]> Indices(int count) => Enumerable.Range(0, count).Select(i =>
    {
        var report = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(report, i);
        return report;
    });

    private static IEnumerable<byte[]> Buckets(LocalHashing oracle)
    {
        // A seed under which items 0 and 1 differ: under one where all share a bucket, reports say nothing at all.
        ulong seed = 0;
        while (oracle.Bucket(seed, 0) == oracle.Bucket(seed, 1))
        {
            seed++;
        }

        return Enumerable.Range(0, oracle.Buckets).Select(bucket =>
        {
            var report = new byte[oracle.ReportBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(report, seed);
            BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(sizeof(ulong)), bucket);
            return report;
        });
    }

    private static IEnumerable<byte[]> Bitmaps(FrequencyOracle oracle) => Enumerable.Range(0, 1 << oracle.Items).Select(i =>
    {
        var report = new byte[oracle.ReportBytes];
        for (var b = 0; b < report.Length; b++)
        {
            report[b] = (byte)(i >> (8 * b));
        }

        return report;
    });
}
