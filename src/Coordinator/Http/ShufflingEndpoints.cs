using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Protocol;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>Shufflers: their registration, what clients are told of them, and the batches that they bring.</summary>
internal sealed class ShufflingEndpoints(CoordinatorService service)
{
    /// <summary>Bytes of a batch that are held at once.</summary>
    private const int ChunkBytes = 32 << 20;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/shuffling", KeysAsync).WithMetadata(Access.Anybody, new Says("The coordinator's keys for shuffled runs.", Reply: WireJson.Default.ShufflingKeysMessage));
        routes.MapGet("/v1/shufflers", ListAsync).WithMetadata(Access.Viewer, new Says("The registered shufflers.", Reply: WireJson.Default.ShufflerList));
        routes.MapPost("/v1/shufflers", AddAsync).WithMetadata(Access.Operator with { Act = "register shuffler" },
            new Says("Register a shuffler with its keys, in place of one of the same name.", WireJson.Default.ShufflerMessage, Status: 204));
        routes.MapDelete("/v1/shufflers/{name}", RemoveAsync).WithMetadata(Access.Operator with { Act = "remove shuffler" }, new Says("Forget a shuffler.", Status: 204));
        routes.MapPost("/v1/runs/{run}/batches/{batch}", BatchAsync).WithMetadata(Access.Anybody,
            new Says("Bring a batch, signed by the run's last shuffler (application/vnd.federated.batch).", Reply: WireJson.Default.BatchReply));
    }

    /// <summary>An assignment of a shuffle run, with the way that its report takes.</summary>
    /// <returns>Null when one of the run's shufflers is not registered any more.</returns>
    public static async ValueTask<CheckInReply?> WithWayAsync(
        CheckInReply reply, Granted granted, IRun host, ShuffleTerms terms, CoordinatorService service, CancellationToken cancellation)
    {
        var book = service.Shuffling;
        List<ShufflingBook.Registered> way = [];
        foreach (var name in terms.Shufflers)
        {
            if (await book.FindAsync(name, cancellation).ConfigureAwait(false) is not { } shuffler)
            {
                return null;
            }

            way.Add(shuffler);
        }

        if (reply.Assignment is not { } message)
        {
            return null;
        }

        const double longest = 30 * 86_400;
        var expires = service.Clock.GetUtcNow().ToUnixTimeSeconds() + (long)Math.Ceiling(Math.Min(granted.SecondsLeft, longest));
        var batch = terms.BatchOf(granted.Assignment.BaseVersion, granted.Terms.Seed);
        var ticket = new ShuffleTicket(
            host.Entry.Id, batch, terms.Minimum, terms.Target, terms.WindowSeconds, terms.ReportBytes, way.Count - 1, 1, granted.Assignment.Id.Value, granted.Assignment.Client.Value, expires);
        var shuffle = new ShuffleMessage(
            way[0].Message.Url, [.. way.Select(s => new ShufflerKeyMessage(s.Message.Name, s.Message.SealingKey))], book.AnalyzerKey, host.Entry.Id, batch, terms.ReportBytes,
            way[0].Tickets.Issue(ticket));
        return reply with { Assignment = message with { Privacy = (terms.Protection with { Shuffle = shuffle }).ToJson() } };
    }

    /// <summary>Why a run cannot pass these shufflers; null when it can.</summary>
    public static async ValueTask<string?> RefusalOfAsync(IReadOnlyList<string> shufflers, ShufflingBook book, CancellationToken cancellation)
    {
        foreach (var name in shufflers)
        {
            if (await book.FindAsync(name, cancellation).ConfigureAwait(false) is null)
            {
                var registered = await book.ListAsync(cancellation).ConfigureAwait(false);
                return $"The run's shuffler '{name}' is not registered here. Register it with fed shufflers add, or name one of: {string.Join(", ", registered.Select(s => s.Name))}.";
            }
        }

        return null;
    }

    private Task KeysAsync(HttpContext context) => JsonBody.WriteAsync(
        context, new ShufflingKeysMessage(service.Identities.Coordinator, service.Shuffling.AnalyzerKey, service.Shuffling.TicketsKey), WireJson.Default.ShufflingKeysMessage);

    private async Task ListAsync(HttpContext context)
    {
        var shufflers = await service.Shuffling.ListAsync(context.RequestAborted).ConfigureAwait(false);
        await JsonBody.WriteAsync(context, new ShufflerList(shufflers), WireJson.Default.ShufflerList).ConfigureAwait(false);
    }

    private async Task AddAsync(HttpContext context)
    {
        if (await JsonBody.ReadAsync(context, WireJson.Default.ShufflerMessage).ConfigureAwait(false) is not { } shuffler)
        {
            return;
        }

        if (await service.Shuffling.AddAsync(shuffler, context.RequestAborted).ConfigureAwait(false) is { } refusal)
        {
            await context.RefuseAsync(Problems.KeyInvalid, refusal).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task RemoveAsync(HttpContext context)
    {
        if (!await service.Shuffling.RemoveAsync(context.Value("name"), context.RequestAborted).ConfigureAwait(false))
        {
            await context.RefuseAsync(Problems.ShufflerUnknown, "GET /v1/shufflers lists those that there are.").ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task BatchAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host)
        {
            return;
        }

        if (!await context.IsOpenAsync(host).ConfigureAwait(false))
        {
            return;
        }

        if (host.Parts.Shuffle is not { } terms)
        {
            await context.RefuseAsync(Problems.BatchInvalid, "This run takes updates of its clients themselves, and no batches.").ConfigureAwait(false);
            return;
        }

        var most = 4L + MostHeaderBytes(terms) + ((long)terms.Target * ReportEnvelope.InnerBytes(terms.ReportBytes, 0));
        if (context.Request.ContentLength is not { } length || length > most)
        {
            await context.RefuseAsync(Problems.TooLarge, $"Send Content-Length; a batch of this run has at most {most} bytes.").ConfigureAwait(false);
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = most;
        }

        if (await ReadHeaderAsync(context, host, terms, length).ConfigureAwait(false) is { } header)
        {
            await (header.Dropped ? DropAsync(context, host, header) : TakeAsync(context, host, terms, header)).ConfigureAwait(false);
        }
    }

    /// <summary>Bytes of the longest header of one of the run's batches: a number of up to 19 digits and one of up to 10 for each of its reports.</summary>
    private static int MostHeaderBytes(ShuffleTerms terms) => (int)Math.Min(BatchHeader.MaxLength, 1024 + (32L * terms.Target));

    /// <summary>The header, once it is known to be the run's last shuffler's; null when the request has been answered.</summary>
    private async ValueTask<BatchHeader?> ReadHeaderAsync(HttpContext context, IRun host, ShuffleTerms terms, long length)
    {
        var name = context.Request.Headers[BatchHeader.ShufflerHeader].ToString();
        if (name != terms.Shufflers[^1] || await service.Shuffling.FindAsync(name, context.RequestAborted).ConfigureAwait(false) is not { } shuffler)
        {
            await context.RefuseAsync(Problems.ShufflerUnknown, $"Batches of this run come from '{terms.Shufflers[^1]}', registered here.").ConfigureAwait(false);
            return null;
        }

        var prefix = new byte[4];
        await context.Request.Body.ReadExactlyAsync(prefix, context.RequestAborted).ConfigureAwait(false);
        var headerLength = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (headerLength <= 0 || headerLength > Math.Min(MostHeaderBytes(terms), length - prefix.Length))
        {
            await context.RefuseAsync(Problems.Malformed, "The batch's header has no length that it could have.").ConfigureAwait(false);
            return null;
        }

        var bytes = new byte[headerLength];
        await context.Request.Body.ReadExactlyAsync(bytes, context.RequestAborted).ConfigureAwait(false);
        var signature = context.Request.Headers[BatchHeader.SignatureHeader].ToString();
        if (!Base64Url.IsValid(signature) || !BatchHeader.Verify(bytes, Base64Url.DecodeFromChars(signature), shuffler.Signing))
        {
            await context.RefuseAsync(Problems.SignatureInvalid, $"The batch is not signed with the key that '{name}' was registered with.").ConfigureAwait(false);
            return null;
        }

        if (BatchHeader.TryDecode(bytes) is not { } header || header.Run != host.Entry.Id || header.Id != context.Value("batch")
            || (!header.Dropped && (header.Reports < terms.Minimum || header.ReportBytes != ReportEnvelope.InnerBytes(terms.ReportBytes, 0)))
            || header.BodyBytes(headerLength) != length)
        {
            await context.RefuseAsync(
                Problems.BatchInvalid, $"A batch of this run has {terms.Minimum} or more reports of {ReportEnvelope.InnerBytes(terms.ReportBytes, 0)} bytes, under its own name.").ConfigureAwait(false);
            return null;
        }

        return header;
    }

    /// <summary>The batch was too small: its assignments are given up, for whatever the scheduler makes of that.</summary>
    private static async Task DropAsync(HttpContext context, IRun host, BatchHeader header)
    {
        for (var i = 0; i < header.Assignments.Count; i++)
        {
            var posted = await host.FailAsync(
                new AssignmentId(header.Assignments[i]), new ClientId(header.Clients[i]), $"the shuffler's batch had {header.Assignments.Count} reports when its window ended, and was dropped").ConfigureAwait(false);
            if (posted.Outcome != HostOutcome.Done)
            {
                await context.RefuseAsync(posted.Outcome, posted.RetryAfter).ConfigureAwait(false);
                return; // The whole word comes again; what has ended has ended.
            }
        }

        await JsonBody.WriteAsync(context, new BatchReply(0, header.Assignments.Count, 0, false), WireJson.Default.BatchReply).ConfigureAwait(false);
    }

    private async Task TakeAsync(HttpContext context, IRun host, ShuffleTerms terms, BatchHeader header)
    {
        List<UpdateSubmission> members = new(header.Reports);
        List<IBlobWriter> held = [];
        try
        {
            var perChunk = Math.Clamp(ChunkBytes / header.ReportBytes, 1, header.Reports);
            var chunk = GC.AllocateUninitializedArray<byte>(perChunk * header.ReportBytes);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var inline = 0L;
            for (var done = 0; done < header.Reports; done += perChunk)
            {
                var part = chunk.AsMemory(0, Math.Min(perChunk, header.Reports - done) * header.ReportBytes);
                await context.Request.Body.ReadExactlyAsync(part, context.RequestAborted).ConfigureAwait(false);
                hash.AppendData(part.Span);
                foreach (var opened in ReportOpening.Open(service.Shuffling.Analyzer, header.Run, header.Batch, terms, part))
                {
                    members.Add(await MemberAsync(header, members.Count, opened, held, host.GroupInlineBytes - inline, context.RequestAborted).ConfigureAwait(false));
                    inline += members[^1].Inline.Sum(i => i.Reference.Length);
                }
            }

            if (Convert.ToHexStringLower(hash.GetHashAndReset()) != header.Sha256)
            {
                await context.RefuseAsync(Problems.Digest, "The reports are not those that were signed. Send them again.").ConfigureAwait(false);
                return;
            }

            await SubmitAsync(context, host, header, members).ConfigureAwait(false);
        }
        finally
        {
            foreach (var writer in held)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// The i-th report on the i-th assignment: that they have anything to do with each other is not known, and nothing may be made of it. One that
    /// does not open is an update without a step, which the run rejects and counts.
    /// </summary>
    private async ValueTask<UpdateSubmission> MemberAsync(
        BatchHeader header, int i, (BlobReference Reference, ReadOnlyMemory<byte> Payload)? opened, List<IBlobWriter> held, long inlineLeft, CancellationToken cancellation)
    {
        var report = new UpdateReport { Examples = 0, LocalSteps = opened is null ? 0 : 1, Delta = opened?.Reference, BytesUp = header.ReportBytes };
        var member = new UpdateSubmission(new AssignmentId(header.Assignments[i]), new ClientId(header.Clients[i]), report, Ready: false);
        if (opened is not var (reference, payload))
        {
            return member;
        }

        if (reference.Length <= service.Options.Host.Durability.InlineBytes && reference.Length <= inlineLeft)
        {
            return member with { Inline = [new InlineBlob(reference, payload)] };
        }

        var writer = await service.Registry!.Blobs.CreateAsync(cancellation).ConfigureAwait(false);
        held.Add(writer);
        await writer.WriteAsync(payload, cancellation).ConfigureAwait(false);
        await writer.CommitAsync(reference, cancellation).ConfigureAwait(false);
        return member;
    }

    private static async Task SubmitAsync(HttpContext context, IRun host, BatchHeader header, List<UpdateSubmission> members)
    {
        var result = await host.SubmitGroupAsync(header.Id, members, context.RequestAborted).ConfigureAwait(false);
        if (result is GroupUnsound unsound)
        {
            // Sealed well, but no updates of this model: as those that do not open.
            var wrong = unsound.Members.Select(m => m.Assignment).ToHashSet();
            for (var i = 0; i < members.Count; i++)
            {
                if (wrong.Contains(members[i].Assignment))
                {
                    members[i] = members[i] with { Report = members[i].Report with { LocalSteps = 0, Delta = null }, Inline = [] };
                }
            }

            result = await host.SubmitGroupAsync(header.Id, members, context.RequestAborted).ConfigureAwait(false);
        }

        switch (result)
        {
            case GroupTaken taken:
                var accepted = taken.Members.Count(m => m.Refused is null);
                await JsonBody.WriteAsync(
                    context,
                    new BatchReply(accepted, taken.Members.Length - accepted, taken.Members.Count(m => m.Refused == Rejection.Malformed), taken.Again),
                    WireJson.Default.BatchReply).ConfigureAwait(false);
                break;
            case GroupNotAsked { Outcome: var outcome, RetryAfter: var retry }:
                await context.RefuseAsync(outcome, retry).ConfigureAwait(false);
                break;
            default:
                await context.RefuseAsync(Problems.Unavailable, "Blobs of the batch went missing meanwhile; send it again.", TimeSpan.FromSeconds(1)).ConfigureAwait(false);
                break;
        }
    }
}
