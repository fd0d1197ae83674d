using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Federated.Client;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Tests.Hosting.Conformance;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.EndToEnd.Conformance;

/// <summary>A run as its clients and operators reach it over HTTP. A request that nobody answers is as one that its host could not ask the run.</summary>
/// <remarks>
/// Joining is not a request of its own on this wire: the first check-in joins. Every second update goes by declaration and resumable upload, the others
/// in one envelope.
/// </remarks>
internal sealed class WireRun(WireHosts hosts, string id) : ITestRun
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

    private const int Attempts = 1000;

    /// <summary>How long a front door that has not heard of what another one said is asked again.</summary>
    private static readonly TimeSpan News = TimeSpan.FromSeconds(60);

    private readonly Lock sync = new();
    private readonly HashSet<long> taken = [];
    private int seenVersion;
    private bool isOver;
    private int sent;

    public async Task<(HostOutcome Outcome, ClientId Client)> JoinAsync(string member)
    {
        var client = hosts.MemberOf(member);
        return await TryAsync(client, _ => Task.FromResult(true), false) ? (HostOutcome.Done, client.Number) : (HostOutcome.Unavailable, default);
    }

    public Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait) => TryAsync<CheckInResult>(
        hosts.MemberOf(client),
        async door =>
        {
            for (; ; )
            {
                var reply = await door.CheckInAsync(id, new CheckInRequest(10, wait.TotalSeconds), default);
                if (reply.Evaluation is not { } asked)
                {
                    return ResultOf(reply, client);
                }

                await door.ReportEvaluationAsync(id, asked.Version, new EvaluationReport(10, 0.5, 1), default); // The coordinator has no test data.
            }
        },
        new NotAsked(HostOutcome.Unavailable, Soon));

    public Task<SubmitResult> SubmitAsync(UpdateSubmission submission) => TryAsync(
        hosts.MemberOf(submission.Client),
        async door =>
        {
            var outcome = await SendAsync(door, submission);
            lock (sync)
            {
                if (outcome.Accepted)
                {
                    taken.Add(submission.Assignment.Value);
                }
            }

            return outcome.Accepted ? (SubmitResult)new UpdateTaken(null) : new UpdateRefused(Named<Rejection>(outcome.Reason), outcome.Detail, null);
        },
        new UpdateNotAsked(HostOutcome.Unavailable, Soon));

    public Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members) =>
        throw new NotSupportedException("No single request carries a group: it comes of a session of secure aggregation, or of a shuffler's batch.");

    public async Task<HostOutcome> CommandAsync(OperatorAction action)
    {
        var verb = action.ToString().ToLowerInvariant();
        using var answer = await hosts.Operator.SendAsync(
            HttpMethod.Post, $"/v1/runs/{id}:{verb}", WireOperator.Json(new CommandRequest(nameof(FinishReason.Operator)), WireJson.Default.CommandRequest));
        return answer is null ? HostOutcome.Closed : HostOutcome.Done;
    }

    public Task<HostOutcome> FailAsync(AssignmentId assignment, ClientId client) => TryAsync(
        hosts.MemberOf(client),
        async door =>
        {
            await door.FailAsync(id, assignment.Value, new FailRequest("test"), default);
            return HostOutcome.Done;
        },
        HostOutcome.Unavailable);

    /// <summary>A front door that only shows may be behind while its run moves (docs/operations.md): it is asked until it knows what clients have been told.</summary>
    public async Task<RunView?> ViewAsync()
    {
        using var limit = new CancellationTokenSource(News);
        for (; ; await Task.Delay(20, CancellationToken.None))
        {
            if (await hosts.Operator.AskAsync(HttpMethod.Get, $"/v1/runs/{id}", null, WireJson.Default.RunDetailMessage) is not { } run)
            {
                return null;
            }

            var view = ViewOf(run);
            lock (sync)
            {
                if (limit.IsCancellationRequested
                    || (view.Host == HostState.Open && view.Version >= seenVersion && view.Counters.Accepted >= taken.Count && (view.Status == RunStatus.Finished || !isOver)))
                {
                    return view;
                }
            }
        }
    }

    private static RunView ViewOf(RunDetailMessage run)
    {
        var summary = run.Summary;
        return new RunView
        {
            Host = summary.State switch { "opening" => HostState.Opening, "failed" => HostState.Failed, _ => HostState.Open },
            Status = Enum.TryParse<RunStatus>(summary.State, ignoreCase: true, out var status) ? status : default,
            Version = summary.Version,
            Counters = new RunCounters(summary.Dispatched, summary.Accepted, summary.Rejected, summary.Lost, summary.InFlight, 0, 0),
            Versions = run.Versions.ToImmutableSortedDictionary(v => v.Version, v => new VersionBlobs(v.Model, ImmutableSortedDictionary<string, BlobReference>.Empty, v.Model)),
        };
    }

    private async Task<UpdateOutcomeMessage> SendAsync(HttpTransport door, UpdateSubmission submission)
    {
        var (reference, bytes) = WireModel.Delta(submission.Inline.Single().Bytes);
        var declaration = new UpdateDeclaration { Delta = reference, Examples = submission.Report.Examples, LocalSteps = submission.Report.LocalSteps };
        if (Interlocked.Increment(ref sent) % 2 == 0)
        {
            return await door.SendAsync(id, submission.Assignment.Value, declaration, [bytes], default);
        }

        var reply = await door.DeclareAsync(id, submission.Assignment.Value, declaration, default);
        foreach (var location in reply.Uploads.Values)
        {
            using var content = new MemoryStream(bytes);
            content.Position = await door.GetUploadOffsetAsync(location, default);
            await door.AppendAsync(location, content.Position, content, bytes.Length - content.Position, default);
        }

        return reply.Outcome ?? (await door.DeclareAsync(id, submission.Assignment.Value, declaration, default)).Outcome
            ?? throw new InvalidOperationException($"The coordinator wants again what it was sent: {submission.Assignment}.");
    }

    private CheckInResult ResultOf(CheckInReply reply, ClientId client)
    {
        lock (sync)
        {
            switch (reply)
            {
                case { Assignment: { } a }:
                    seenVersion = Math.Max(seenVersion, a.BaseVersion);
                    return new Granted(
                        new Assignment(new AssignmentId(a.Id), client, a.BaseVersion, a.Steps > 0 ? LocalWork.OfSteps(a.Steps) : LocalWork.ClientsChoice, 0, double.PositiveInfinity),
                        new VersionBlobs(a.Model, a.Extras.ToImmutableSortedDictionary(), a.Model),
                        new AssignmentTerms(ulong.Parse(a.Seed, CultureInfo.InvariantCulture), a.RateFactor, a.Privacy),
                        a.SecondsLeft ?? double.PositiveInfinity);
                case { Over: { } over }:
                    (isOver, seenVersion) = (true, Math.Max(seenVersion, over.FinalVersion));
                    return new RunOver(Enum.TryParse<FinishReason>(over.Reason, out var reason) ? reason : FinishReason.Versions, over.Reason, over.FinalVersion);
                default:
                    return new Waiting(new WaitReason(KindOf(reply.Wait!.Reason), 0, 0, double.PositiveInfinity), TimeSpan.FromSeconds(reply.Wait.RetryAfterSeconds));
            }
        }
    }

    /// <summary>A reason's kind by the words that go with it.</summary>
    private static WaitKind KindOf(string words) =>
        Enum.GetValues<WaitKind>().FirstOrDefault(kind => words == new WaitReason(kind, 0, 0, double.PositiveInfinity).ToString(), WaitKind.ForClients);

    private static TEnum Named<TEnum>(string kebab)
        where TEnum : struct, Enum => Enum.GetValues<TEnum>().Single(value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()) == kebab);

    /// <summary>Repeats a request at another front door for a while: those who die, start, or wait for a run that moves say so and mean no refusal.</summary>
    private static async Task<T> TryAsync<T>(WireMember member, Func<HttpTransport, Task<T>> ask, T broken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                return await member.AskAsync(ask);
            }
            catch (ClientException e) when (e.Problem is { IsTransient: true } or { Status: 401 } or { Type: "upload-unknown" or "upload-offset" })
            {
                await Task.Delay(Soon); // An upload that a process took along begins anew elsewhere.
            }
        }

        return broken;
    }
}
