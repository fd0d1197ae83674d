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
        Parallel.For(0, opened.Length, i =>
        {
            if (ReportEnvelope.TryOpenReport(analyzer, run, batch, randomizer, terms.ReportBytes, reports.Span.Slice(i * size, size)) is { } payload)
            {
                opened[i] = (new BlobReference(Convert.ToHexStringLower(SHA256.HashData(payload.Span)), payload.Length), payload);
            }
        });
        return opened;
    }
}
