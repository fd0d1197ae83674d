using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>Sends a pending update until its outcome is there: whole when it is small, else declared and uploaded in resumable pieces.</summary>
/// <remarks>Everything is idempotent by the assignment's id: whatever was sent before, by this process or one before it, may be sent again.</remarks>
internal sealed class UpdateSender(string run, Caller caller, IRunStore store, FederatedClientOptions options)
{
    /// <summary>Declarations in a row that brought nothing forward (digests that do not match), before giving up.</summary>
    private const int Rounds = 5;

    /// <summary>Bytes per second at which a small update still gets through in one request.</summary>
    private const double SlowestLink = 8 << 10;

    /// <returns>The outcome; and whether it is one that the run knows of, or a problem that leaves the assignment open.</returns>
    public async Task<(UpdateOutcomeMessage Outcome, bool IsSettled)> SendAsync(PendingUpdate pending, CancellationToken cancellation)
    {
        try
        {
            if (pending.Shuffler is { } shuffler)
            {
                return (await SendToShufflerAsync(pending, new Uri(shuffler), cancellation), true);
            }

            var declaration = pending.Declaration;
            var parts = declaration.Extras.Values.Prepend(declaration.Delta).ToList();
            if (parts.Sum(part => part.Length) <= options.EnvelopeBytes && await SendWholeAsync(pending, parts, cancellation) is { } outcome)
            {
                return (outcome, true);
            }

            return (await SendInPiecesAsync(pending, parts, cancellation), true);
        }
        catch (ClientException e) when (e.Problem is { NeedsEnrolment: false, Type: not Problem.ProtocolVersion, Status: >= 400 and < 500 and not 401 } problem)
        {
            // Nothing will make the coordinator take this one: no such assignment, somebody else's, not as the run is.
            return (new UpdateOutcomeMessage(false, problem.Type.Length > 0 ? problem.Type : "refused", problem.Detail), false);
        }
    }

    /// <summary>The shuffler holds the report until its batch is there; what became of it the coordinator tells, by the assignment.</summary>
    private async Task<UpdateOutcomeMessage> SendToShufflerAsync(PendingUpdate pending, Uri shuffler, CancellationToken cancellation)
    {
        var part = pending.Declaration.Delta;
        var envelope = new byte[part.Length];
        using (var stream = store.OpenPart(part))
        {
            stream.ReadExactly(envelope);
        }

        await caller.CallAsync(
            "report", options.RequestTimeout + TimeSpan.FromSeconds((double)part.Length / SlowestLink), (transport, c) => transport.SendReportAsync(shuffler, pending.TicketProof ?? "", envelope, c), cancellation);
        while (true)
        {
            var wait = options.LongPoll;
            var state = await caller.CallAsync(
                "outcome", wait + options.RequestTimeout, (transport, c) => transport.GetAssignmentAsync(run, pending.Assignment, wait.TotalSeconds, c), cancellation);
            if (state.State != "open")
            {
                return state.State switch
                {
                    "ended" => new UpdateOutcomeMessage(true, "", "The batch is there."),
                    "dropped" => new UpdateOutcomeMessage(false, "batch-dropped", "The shuffler's batch was too small when its window ended, and was dropped whole: the report is not used."),
                    _ => new UpdateOutcomeMessage(false, "too-late", "The assignment ended before the shuffler's batch came."),
                };
            }
        }
    }

    /// <summary>Null when the coordinator wants it in pieces.</summary>
    private async Task<UpdateOutcomeMessage?> SendWholeAsync(PendingUpdate pending, List<BlobReference> parts, CancellationToken cancellation)
    {
        var bytes = parts.ConvertAll(part =>
        {
            using var stream = store.OpenPart(part);
            var whole = new byte[part.Length];
            stream.ReadExactly(whole);
            return (ReadOnlyMemory<byte>)whole;
        });
        try
        {
            return await caller.CallAsync(
                "update",
                options.RequestTimeout + TimeSpan.FromSeconds((double)bytes.Sum(part => part.Length) / SlowestLink),
                (transport, c) => transport.SendAsync(run, pending.Assignment, pending.Declaration, bytes, c),
                cancellation);
        }
        catch (ClientException e) when (e.Problem is { Status: 413 } or { Type: Problem.Digest })
        {
            return null; // Too large for one request here, or damaged on the way: by pieces, which are repeated one by one.
        }
    }

    private async Task<UpdateOutcomeMessage> SendInPiecesAsync(PendingUpdate pending, List<BlobReference> parts, CancellationToken cancellation)
    {
        Problem? last = null;
        for (var round = 0; round < Rounds; round++)
        {
            var reply = await caller.CallAsync(
                "declaration",
                options.RequestTimeout,
                (transport, c) => transport.DeclareAsync(run, pending.Assignment, pending.Declaration, c),
                cancellation);
            if (reply.Outcome is { } outcome)
            {
                return outcome;
            }

            foreach (var (digest, location) in reply.Uploads)
            {
                var part = parts.Find(p => p.Sha256 == digest)
                    ?? throw new ClientException($"The coordinator asks for blob {digest}, which the update does not declare. This is a defect of the coordinator.");
                try
                {
                    await UploadAsync(part, location, cancellation);
                }
                catch (ClientException e) when (e.Problem is { Status: 404 or 410 or 422 } problem)
                {
                    last = problem; // The upload is gone, or its bytes were damaged on the way: declare again, and begin it anew.
                }
            }
        }

        throw new ClientException($"The update did not arrive whole in {Rounds} attempts: {last?.Detail ?? "the coordinator keeps asking for what it has been sent"}.")
        {
            Problem = last ?? new Problem(422, Problem.Digest, "The coordinator keeps asking for what it has been sent."),
        };
    }

    private async Task UploadAsync(BlobReference part, string location, CancellationToken cancellation)
    {
        var offset = await caller.CallAsync("upload", options.RequestTimeout, (transport, c) => transport.GetUploadOffsetAsync(location, c), cancellation);
        while (offset < part.Length)
        {
            var isFirst = true;
            offset = await caller.CallAsync(
                "upload",
                Timeout.InfiniteTimeSpan,
                async (transport, c) =>
                {
                    // After a break only the coordinator knows how much has arrived.
                    var from = isFirst ? offset : await transport.GetUploadOffsetAsync(location, c);
                    isFirst = false;
                    if (from >= part.Length)
                    {
                        return from;
                    }

                    using var stream = store.OpenPart(part);
                    stream.Position = from;
                    try
                    {
                        return await transport.AppendAsync(location, from, stream, Math.Min(options.ChunkBytes, part.Length - from), c);
                    }
                    catch (ClientException e) when (e.Problem is { Status: 409, UploadOffset: { } stands } && stands != from)
                    {
                        return stands;
                    }
                },
                cancellation);
        }
    }
}
