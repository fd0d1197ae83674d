using System.Collections.Concurrent;
using Federated.Client;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.SecureAggregation;
using Federated.Coordinator.Storage;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Simulation.Serving;

/// <summary>A client in the coordinator's own process: the session of the SDK directly on the runs' hosts, without sockets, tokens or limits.</summary>
/// <remarks>For tests, demonstrations, and a coordinator whose machine has data too. Weights are copied once each way.</remarks>
/// <param name="registry">The coordinator's runs; not owned.</param>
/// <param name="member">The client's id in the registry; whoever holds the object is that client.</param>
public sealed class InProcessTransport(RunRegistry registry, string member) : ITransport
{
    private const string Prefix = "/v1/uploads/";

    private readonly ConcurrentDictionary<string, Upload> uploads = new(StringComparer.Ordinal);

    public bool Authenticates => true;

    public string? AccessToken { get; set; }

    public int Version { get; set; } = ProtocolVersion.Current;

    public TimeSpan ClockSkew => TimeSpan.Zero;

    public ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation) =>
        throw new NotSupportedException("In the coordinator's process nobody enrols.");

    public ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation) =>
        throw new NotSupportedException("In the coordinator's process nobody needs a token.");

    public async ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var host = HostOf(run);
        if (host.Find(member) is not { } client)
        {
            (var outcome, client, var retry) = await host.JoinAsync(member, request.Examples).ConfigureAwait(false);
            Require(outcome, retry);
        }

        var result = await host.CheckInAsync(client, TimeSpan.FromSeconds(request.WaitSeconds), cancellation).ConfigureAwait(false);
        return WireReplies.Of(result, host.Parts) ?? throw Away(result is NotAsked asked ? asked.RetryAfter : TimeSpan.Zero);
    }

    public async ValueTask DownloadAsync(BlobReference blob, Stream destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(destination);
        try
        {
            await using var source = await registry.Blobs.OpenAsync(blob, cancellation).ConfigureAwait(false);
            source.Position = destination.Position;
            await source.CopyToAsync(destination, cancellation).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            throw Refusal(404, "blob-unknown", e.Message);
        }
    }

    public async ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation)
    {
        var (host, client) = Known(run);
        var (outcome, state) = await host.WatchAsync(new AssignmentId(assignment), client, TimeSpan.FromSeconds(waitSeconds), cancellation).ConfigureAwait(false);
        Require(outcome, TimeSpan.FromSeconds(1));
        return state.Standing == AssignmentStanding.Unknown
            ? throw Refusal(404, "assignment-not-yours", $"Assignment {assignment} was not given to this client.")
            : new AssignmentStateMessage(state.Standing.ToString().ToLowerInvariant(), double.IsFinite(state.SecondsLeft) ? state.SecondsLeft : null);
    }

    public ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation) =>
        SubmitAsync(run, assignment, declaration, cancellation);

    public async ValueTask<UpdateOutcomeMessage> SendAsync(
        string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        List<IBlobWriter> held = [];
        try
        {
            foreach (var (blob, bytes) in declaration.Extras.Values.Prepend(declaration.Delta).Zip(parts))
            {
                var writer = await registry.Blobs.CreateAsync(cancellation).ConfigureAwait(false);
                held.Add(writer);
                await writer.WriteAsync(bytes, cancellation).ConfigureAwait(false);
                await writer.CommitAsync(blob, cancellation).ConfigureAwait(false);
            }

            var reply = await SubmitAsync(run, assignment, declaration, cancellation).ConfigureAwait(false);
            return reply.Outcome ?? throw Away(TimeSpan.Zero);
        }
        finally
        {
            foreach (var writer in held)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    public ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation) => ValueTask.FromResult(UploadAt(location).Writer.Length);

    public async ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        var upload = UploadAt(location);
        if (offset != upload.Writer.Length)
        {
            throw ClientException(new Problem(409, Problem.WrongOffset, $"The upload stands at {upload.Writer.Length}.") { UploadOffset = upload.Writer.Length });
        }

        var buffer = new byte[Math.Min(count, 256 << 10)];
        for (var left = count; left > 0;)
        {
            var part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, left));
            await bytes.ReadExactlyAsync(part, cancellation).ConfigureAwait(false);
            await upload.Writer.WriteAsync(part, cancellation).ConfigureAwait(false);
            left -= part.Length;
        }

        if (upload.Writer.Length < upload.Blob.Length)
        {
            return upload.Writer.Length;
        }

        uploads.TryRemove(location, out _);
        try
        {
            await upload.Writer.CommitAsync(upload.Blob, cancellation).ConfigureAwait(false);
            return upload.Blob.Length;
        }
        catch (StorageException e)
        {
            throw Refusal(422, Problem.Digest, e.Message);
        }
        finally
        {
            await upload.Writer.DisposeAsync().ConfigureAwait(false);
        }
    }

    public ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation)
    {
        var host = HostOf(run);
        var created = host.Entry.CreatedAt.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
        return ValueTask.FromResult(new RunPrivacyMessage(run, host.View.Version, StatementMessage.Of(host.Parts.Privacy with { Spent = host.View.Spent, Inherited = host.Entry.Origin?.Inherited })) { CreatedAt = created });
    }

    public async ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (host, client) = Known(run);
        var posted = await host.FailAsync(new AssignmentId(assignment), client, request.Reason).ConfigureAwait(false);
        Require(posted.Outcome, posted.RetryAfter);
    }

    public async ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(report);
        var (host, client) = Known(run);
        var posted = await host.ReportAsync(version, new ClientScore(client, report.Examples, report.Accuracy, report.Loss)).ConfigureAwait(false);
        Require(posted.Outcome, posted.RetryAfter);
    }

    public async ValueTask SendSecureSumAsync(string run, long assignment, string step, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var (intake, client) = Sums(run);
        switch (await intake.TakeAsync(client, new AssignmentId(assignment), step, body, cancellation).ConfigureAwait(false))
        {
            case { Verdict: StepVerdict.Taken }:
                return;
            case { Verdict: StepVerdict.Unavailable }:
                throw Away(TimeSpan.FromSeconds(1));
            case { Verdict: StepVerdict.Unknown, Detail: var detail }:
                throw Refusal(404, Problem.SessionUnknown, detail);
            case { Detail: var detail }:
                throw Refusal(409, Problem.SessionRefused, detail);
        }
    }

    public async ValueTask<SecureSumState> GetSecureSumAsync(string run, long assignment, string after, double waitSeconds, CancellationToken cancellation)
    {
        var (intake, client) = Sums(run);
        return await intake.StateAsync(
            client, new AssignmentId(assignment), new SecureSumState(after, "").Known, TimeSpan.FromSeconds(waitSeconds), cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var upload in uploads.Values)
        {
            await upload.Writer.DisposeAsync().ConfigureAwait(false);
        }

        uploads.Clear();
    }

    private async ValueTask<UpdateReply> SubmitAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        var (host, client) = Known(run);
        if (host.Parts.SecureSum is not null)
        {
            throw Refusal(409, "not-masked", "Nobody is to see a single update of this run. Join a session of secure aggregation.");
        }

        var submission = new UpdateSubmission(new AssignmentId(assignment), client, WireReplies.ReportOf(declaration, 0, 0), declaration.Ready);
        switch (await host.SubmitAsync(submission, cancellation).ConfigureAwait(false))
        {
            case UpdateTaken taken:
                return Outcome(WireReplies.Taken(taken, host.Parts));
            case UpdateRefused refused:
                return Outcome(WireReplies.Refused(refused, host.Parts));
            case BlobsMissing missing:
                foreach (var blob in missing.Blobs)
                {
                    var writer = await registry.Blobs.CreateAsync(cancellation).ConfigureAwait(false);
                    if (!uploads.TryAdd(Prefix + blob.Sha256, new Upload(blob, writer)))
                    {
                        await writer.DisposeAsync().ConfigureAwait(false); // One is under way, and goes on where it stands.
                    }
                }

                return new UpdateReply(missing.Blobs.ToDictionary(blob => blob.Sha256, blob => Prefix + blob.Sha256));
            case NotAnUpdate wrong:
                throw Refusal(422, "not-an-update", wrong.Problem);
            case UpdateNotAsked later:
                throw Away(later.RetryAfter);
            case var unknown:
                throw new InvalidOperationException($"No reply for {unknown.GetType().Name}. This is a defect.");
        }
    }

    private (SecureIntake Intake, ClientId Client) Sums(string run)
    {
        var (host, client) = Known(run);
        return (host.SecureSum ?? throw Refusal(409, "run-state", "This run takes updates one by one: it has no secure aggregation."), client);
    }

    private static UpdateReply Outcome(UpdateOutcomeMessage outcome) => new(new Dictionary<string, string>(), outcome);

    private RunHost HostOf(string run)
    {
        var host = registry.Find(run) ?? throw Refusal(404, "run-unknown", $"There is no run '{run}'.");
        return host.View.Host == HostState.Open ? host : throw Away(TimeSpan.FromSeconds(1));
    }

    private (RunHost Host, ClientId Client) Known(string run)
    {
        var host = HostOf(run);
        return (host, host.Find(member) ?? throw Refusal(404, "assignment-not-yours", $"'{member}' has not joined run '{run}'."));
    }

    private Upload UploadAt(string location) =>
        uploads.TryGetValue(location, out var upload) ? upload : throw Refusal(404, "upload-unknown", "There is no such upload; declare the update again.");

    private static void Require(HostOutcome outcome, TimeSpan retryAfter)
    {
        if (outcome != HostOutcome.Done)
        {
            throw Away(retryAfter);
        }
    }

    private static ClientException Away(TimeSpan retryAfter) => ClientException(new Problem(503, "unavailable", "The run cannot be asked now.") { RetryAfter = retryAfter });

    private static ClientException Refusal(int status, string type, string detail) => ClientException(new Problem(status, type, detail));

    private static ClientException ClientException(Problem problem) => new(problem.ToString()) { Problem = problem };

    private sealed record Upload(BlobReference Blob, IBlobWriter Writer);
}
