using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Federated.Training.Data;

/// <summary>Who holds what: examples per client and class, for the report's picture, and a fingerprint of the split for its manifest.</summary>
public sealed class PartitionSummary
{
    private readonly int[] counts;

    private PartitionSummary(ImmutableArray<string> clients, int classes, int[] counts, int unused, string fingerprint)
    {
        (Clients, Classes, this.counts, UnusedExamples, Fingerprint) = (clients, classes, counts, unused, fingerprint);
        Sizes = [.. Enumerable.Range(0, clients.Length).Select(k => this[k].ToArray().Sum())];
    }

    /// <summary>The clients' names, in order.</summary>
    public ImmutableArray<string> Clients { get; }

    public int Classes { get; }

    /// <summary>Training examples of each client.</summary>
    public ImmutableArray<int> Sizes { get; }

    /// <summary>Training examples that no client holds.</summary>
    public int UnusedExamples { get; }

    /// <summary>SHA-256 (hex) over every client's training indices, in order: equal for equal splits of equal data.</summary>
    public string Fingerprint { get; }

    /// <summary>Training examples of each class at client <paramref name="client"/>.</summary>
    public ReadOnlySpan<int> this[int client] => counts.AsSpan(client * Classes, Classes);

    /// <summary>Counts the training examples of all clients. Cost: O(examples + clients · classes).</summary>
    public static PartitionSummary Of(FederatedData data)
    {
        var classes = data.Train.Classes;
        var counts = new int[checked(data.Clients.Count * classes)];
        var used = new bool[data.Train.Count];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var k = 0; k < data.Clients.Count; k++)
        {
            var shard = data.Clients[k].Train;
            foreach (var i in shard)
            {
                counts[(k * classes) + data.Train.Labels[i]]++;
                used[i] = true;
            }

            hash.AppendData(MemoryMarshal.AsBytes<int>([shard.Length]));
            hash.AppendData(MemoryMarshal.AsBytes(shard.AsSpan()));
        }

        return new PartitionSummary(
            [.. data.Clients.Select(c => c.Name)],
            classes,
            counts,
            used.AsSpan().Count(false),
            Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
