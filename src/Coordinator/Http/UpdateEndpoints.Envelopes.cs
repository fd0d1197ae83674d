using System.Collections.Immutable;
using System.Security.Cryptography;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Protocol;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Http;

namespace Federated.Coordinator.Http;

/// <content>A declaration with its bytes behind it: the whole update in one request.</content>
internal sealed partial class UpdateEndpoints
{
    private const int PrefixLength = 4;

    private async Task TakeEnvelopeAsync(HttpContext context, IRun host, ClientId client, AssignmentId assignment)
    {
        var limit = Math.Min(UpdateEnvelope.MaxLength, PrefixLength + UpdateEnvelope.MaxDeclaration + MostBytes(host));
        if (context.Request.ContentLength is not { } length)
        {
            await context.RefuseAsync(Problems.LengthRequired, "Send Content-Length; what is not known to fit is not read.").ConfigureAwait(false);
            return;
        }

        if (length > limit)
        {
            var advice = length > UpdateEnvelope.MaxLength ? "Declare the update first and upload it in pieces." : "This run's model and codec make no update of that size.";
            await context.RefuseAsync(Problems.TooLarge, $"An envelope here has at most {limit} bytes; {length} were announced. {advice}").ConfigureAwait(false);
            return;
        }

        var isLarge = length > CoordinatorOptions.SmallBody;
        var who = context.Who().Id;
        if (isLarge && service.Slots.TryTake(who) is { } problem)
        {
            await context.RefuseAsync(problem, "Too many large bodies are coming in; send this one later.", TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            return;
        }

        try
        {
            UploadEndpoints.RaiseLimit(context, length);
            await ReceiveAsync(context, host, client, assignment, (int)length).ConfigureAwait(false);
        }
        finally
        {
            if (isLarge)
            {
                service.Slots.Release(who);
            }
        }
    }

    private async Task ReceiveAsync(HttpContext context, IRun host, ClientId client, AssignmentId assignment, int length)
    {
        var begun = service.Clock.GetTimestamp();
        var isSmall = length <= CoordinatorOptions.SmallBody;

        // Kept until the update counts: inside the log's record, or at hand so that nobody reads it from the store.
        var envelope = GC.AllocateUninitializedArray<byte>(length).AsMemory();
        await context.Request.Body.ReadExactlyAsync(envelope, context.RequestAborted).ConfigureAwait(false);
        var seconds = service.Clock.GetElapsedTime(begun).TotalSeconds;
        service.Metrics.Received(length);
        if (UpdateEnvelope.Decode(envelope, out var bytes, out var error) is not { } declaration)
        {
            await context.RefuseAsync(Problems.Malformed, error).ConfigureAwait(false);
            return;
        }

        if (!await CheckAsync(context, host, declaration).ConfigureAwait(false))
        {
            return;
        }

        var announced = declaration.Extras.Values.Prepend(declaration.Delta).ToList();
        if (announced.Sum(b => b.Length) != bytes.Length)
        {
            await context.RefuseAsync(
                Problems.Malformed, $"The declaration announces {announced.Sum(b => b.Length)} bytes; {bytes.Length} follow it.").ConfigureAwait(false);
            return;
        }

        var (inline, atHand) = (ImmutableArray.CreateBuilder<InlineBlob>(), ImmutableArray.CreateBuilder<InlineBlob>());
        List<IBlobWriter> held = [];
        try
        {
            foreach (var blob in announced)
            {
                var content = bytes[..(int)blob.Length];
                bytes = bytes[(int)blob.Length..];
                if (blob.Length <= service.Options.Host.Durability.InlineBytes && isSmall)
                {
                    if (!IsDigest(content.Span, blob.Sha256))
                    {
                        await RefuseDigestAsync(context, blob).ConfigureAwait(false);
                        return;
                    }

                    inline.Add(new InlineBlob(blob, content));
                    continue;
                }

                var writer = await service.Registry!.Blobs.CreateAsync(context.RequestAborted).ConfigureAwait(false);
                held.Add(writer);
                await writer.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
                try
                {
                    await writer.CommitAsync(blob, context.RequestAborted).ConfigureAwait(false);
                    atHand.Add(new InlineBlob(blob, content));
                }
                catch (BlobMismatchException)
                {
                    await RefuseDigestAsync(context, blob).ConfigureAwait(false);
                    return;
                }
            }

            await SubmitAsync(context, host, client, assignment, declaration, inline.ToImmutable(), atHand.ToImmutable(), seconds, isEnvelope: true).ConfigureAwait(false);
        }
        finally
        {
            foreach (var writer in held)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static long MostBytes(IRun host) => host.Parts.MaxUpdateBytes * (1 + host.Parts.UplinkVectors);

    private static bool IsDigest(ReadOnlySpan<byte> bytes, string expected)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        Span<char> text = stackalloc char[2 * SHA256.HashSizeInBytes];
        return Convert.TryToHexStringLower(digest, text, out _) && text.SequenceEqual(expected);
    }

    private static Task RefuseDigestAsync(HttpContext context, BlobReference blob) =>
        context.RefuseAsync(Problems.Digest, $"The {blob.Length} bytes announced with digest {blob.Sha256} have another digest. Send them again.");
}
