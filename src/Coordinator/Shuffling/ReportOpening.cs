using System.Security.Cryptography;
using Federated.Privacy.Hpke;
using Federated.Protocol;
using Federated.Protocol.Shuffling;

namespace Federated.Coordinator.Shuffling;

/// <summary>Opens the reports of a batch, on all cores.</summary>
public static class ReportOpening
{
    /// <summary>Opens reports that lie one after the other.</summary>
    /// <param name="reports">As they came, each as long as the terms say.</param>
    /// <returns>The payloads with their digests, in the order of the reports; null for one that does not open.</returns>
    public static (BlobReference Reference, ReadOnlyMemory<byte> Payload)?[] Open(HpkePrivateKey analyzer, string run, string batch, ShuffleTerms terms, ReadOnlyMemory<byte> reports)
    {
        ArgumentNullException.ThrowIfNull(terms);
        var size = ReportEnvelope.InnerBytes(terms.ReportBytes, 0);
        var randomizer = terms.Protection.RandomizerInWords;
        var opened = new (BlobReference, ReadOnlyMemory<byte>)?[reports.Length / size];

        // One piece of memory for all: thousands of small ones would be moved about by the collector.
        var plaintexts = GC.AllocateUninitializedArray<byte>(opened.Length * terms.ReportBytes).AsMemory();
        Parallel.For(0, (opened.Length + Hpke.OpenedTogether - 1) / Hpke.OpenedTogether, group =>
        {
            var first = group * Hpke.OpenedTogether;
            var payloads = new ReadOnlyMemory<byte>?[Math.Min(Hpke.OpenedTogether, opened.Length - first)];
            ReportEnvelope.OpenReports(analyzer, run, batch, randomizer, terms.ReportBytes, reports[(first * size)..], plaintexts[(first * terms.ReportBytes)..], payloads);
            for (var i = 0; i < payloads.Length; i++)
            {
                if (payloads[i] is { } payload)
                {
                    opened[first + i] = (new BlobReference(Convert.ToHexStringLower(SHA256.HashData(payload.Span)), payload.Length), payload);
                }
            }
        });
        return opened;
    }
}
