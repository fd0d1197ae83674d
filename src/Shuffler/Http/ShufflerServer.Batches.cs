using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;
using Federated.Shuffler.Batches;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Federated.Shuffler.Http;

/// <summary>The second shuffler of a cascade: what it takes is batches.</summary>
public sealed partial class ShufflerServer
{
    /// <summary>A batch of the shuffler before this one: its signature first, then its reports, each with its envelope for this one.</summary>
    private async Task BatchAsync(HttpContext context)
    {
        if (previous is null)
        {
            await RefuseAsync(context, 404, "not-found", "This shuffler takes reports of clients, and no batches.").ConfigureAwait(false);
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null; // Bounded by what the signed header says.
        }

        var body = context.Request.Body;
        var prefix = new byte[4];
        await body.ReadExactlyAsync(prefix, context.RequestAborted).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length is <= 0 or > BatchHeader.MaxLength)
        {
            await RefuseAsync(context, 400, "malformed", "The batch's header has no length that it could have.").ConfigureAwait(false);
            return;
        }

        if (!TryReserve(length))
        {
            await RefuseBusyAsync(context).ConfigureAwait(false);
            return;
        }

        try
        {
            var text = new byte[length];
            await body.ReadExactlyAsync(text, context.RequestAborted).ConfigureAwait(false);
            await BatchAsync(context, text).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref bytesInFlight, -length);
        }
    }

    private async Task BatchAsync(HttpContext context, byte[] text)
    {
        var signature = context.Request.Headers[BatchHeader.SignatureHeader].ToString();
        if (!Base64Url.IsValid(signature) || !BatchHeader.Verify(text, Base64Url.DecodeFromChars(signature), previous!) || BatchHeader.TryDecode(text) is not { } header)
        {
            await RefuseAsync(context, 403, "signature-invalid", "The batch is not signed by the shuffler before this one.").ConfigureAwait(false);
            return;
        }

        if (header.Dropped)
        {
            // Nothing to hide in a batch that is none: the word is passed on by whoever closed it.
            await RefuseAsync(context, 409, "batch-invalid", "The batch was dropped; its assignments end by their leases.").ConfigureAwait(false);
            return;
        }

        if (header.ReportBytes <= 2 * HpkeSuite.Overhead)
        {
            await RefuseAsync(context, 409, "batch-invalid", $"Reports of {header.ReportBytes} bytes cannot be sealed to this shuffler and to one more.").ConfigureAwait(false);
            return;
        }

        var bytes = (long)header.Reports * header.ReportBytes;
        if (bytes > options.MaxBytesInFlight)
        {
            await RefuseAsync(context, 413, "too-large", $"The batch's {bytes} bytes of reports are more than this shuffler holds at once, {options.MaxBytesInFlight}: its operator has to allow more with --in-flight.").ConfigureAwait(false);
            return;
        }

        if (!TryReserve(bytes))
        {
            await RefuseBusyAsync(context).ConfigureAwait(false);
            return;
        }

        try
        {
            await TakeBatchAsync(context, header).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref bytesInFlight, -bytes);
        }
    }

    private async Task TakeBatchAsync(HttpContext context, BatchHeader header)
    {
        var innerBytes = header.ReportBytes - HpkeSuite.Overhead;
        var terms = new ShuffleTicket(
            header.Run, header.Batch, options.MinBatch, Math.Max(options.MinBatch, header.Reports), 1, innerBytes - HpkeSuite.Overhead, 0, int.MaxValue, 0, 0, 0);
        List<HeldReport> reports = new(header.Reports);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < header.Reports; i++)
        {
            var message = new byte[header.ReportBytes];
            await context.Request.Body.ReadExactlyAsync(message, context.RequestAborted).ConfigureAwait(false);
            hash.AppendData(message);

            // One that does not open keeps its place with bytes that open for nobody: leaving it out would tell how many there are, and when.
            var inner = ReportEnvelope.TryOpenHop(keys.Sealing, header.Run, header.Batch, message) ?? RandomNumberGenerator.GetBytes(innerBytes);
            reports.Add(HeldReport.Of(terms with { Assignment = header.Assignments[i], Client = header.Clients[i] }, inner));
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != header.Sha256)
        {
            await RefuseAsync(context, 422, "digest", "The reports are not those that were signed. Send them again.").ConfigureAwait(false);
            return;
        }

        try
        {
            if (await service.TakeBatchAsync(header.Id, terms, reports).ConfigureAwait(false) is { } isNew)
            {
                await WriteAsync(context, new BatchReply(header.Reports, 0, 0, !isNew), WireJson.Default.BatchReply).ConfigureAwait(false);
            }
            else
            {
                await RefuseAsync(context, 503, "unavailable", "The batch cannot be made durable now; send the same again.").ConfigureAwait(false);
            }
        }
        catch (ShufflerException e)
        {
            await RefuseAsync(context, 409, "batch-too-small", e.Message).ConfigureAwait(false);
        }
    }
}
