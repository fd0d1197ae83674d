using System.Security.Cryptography;
using System.Text.Json;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.SecureAggregation;

/// <summary>
/// The sessions of secure aggregation of one run, in front of its machine: members' updates are held as one masked sum until it is complete, and then the
/// machine is told of all of them at once, as of so many updates that are each the mean. No single update is ever here.
/// </summary>
/// <remarks>
/// Clients join when their update is finished: the cohort of a round, or under buffered asynchrony the next K that come. Sessions live in this process only: a
/// crash ends them, their members are told so, and cohorts form anew with new keys. Every phase has a deadline and a reason to wait that can be read.
/// The order in which a session ends: the sum is opened; assignments of those who are not in it are given up; the mean is written; the group is posted, under a
/// name that counts once. Thread-safe. Memory: d words a session, and k sealed shares of 112 bytes a member.
/// </remarks>
public sealed partial class SecureIntake : ISecureSums, IAsyncDisposable
{
    /// <summary>Ended sessions whose members may still ask what became of them.</summary>
    private const int Remembered = 32;

    /// <summary>Sessions that people can look at.</summary>
    private const int Shown = 256;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.2);

    private readonly RunHost host;
    private readonly SecureSumParts parts;
    private readonly SessionTerms terms;
    private readonly IBlobStore blobs;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly long start;
    private readonly Lock gate = new();
    private readonly Dictionary<long, Seat> seats = [];
    private readonly List<Session> open = [];
    private readonly Queue<Session> ended = new();
    private readonly Queue<SecureSumFact> facts = new();
    private readonly CancellationTokenSource stopping = new();
    private Session? forming;
    private uint numbers;
    private bool isTicking;

    internal SecureIntake(RunHost host, SecureSumParts parts, IBlobStore blobs, TimeProvider clock)
    {
        (this.host, this.parts, this.blobs, this.clock) = (host, parts, blobs, clock);
        terms = parts.Plan.TermsFor(host.Entry.Id);
        start = clock.GetTimestamp();
        numbers = (uint)RandomNumberGenerator.GetInt32(1 << 30); // Another process must not number its sessions alike.
        timer = clock.CreateTimer(static intake => ((SecureIntake)intake!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public long? LimitOf(string step) => StepLimits.Of(step, terms);

    /// <summary>Whether an assignment is in a session here, or was in one of the last.</summary>
    internal bool Knows(ClientId client, AssignmentId assignment)
    {
        lock (gate)
        {
            return Find(client, assignment) is not null;
        }
    }

    internal static StepAnswer InNoSession { get; } = new(StepVerdict.Unknown, "This client is in no session of this coordinator: it may have ended with a restart.");

    /// <summary>Takes a member's step. The same bytes may come again and count once.</summary>
    /// <param name="client">Whose assignment it is.</param>
    /// <param name="body">JSON, or the packed words of step <c>input</c>.</param>
    public async ValueTask<StepAnswer> TakeAsync(ClientId client, AssignmentId assignment, string step, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (step == SecureSumSteps.Keys)
        {
            var (outcome, state) = await host.WatchAsync(assignment, client, TimeSpan.Zero, cancellation).ConfigureAwait(false);
            if (outcome != HostOutcome.Done)
            {
                return new StepAnswer(StepVerdict.Unavailable, "The run cannot be asked now.");
            }

            if (state.Standing != AssignmentStanding.Open)
            {
                return new StepAnswer(StepVerdict.Refused, $"{assignment} is not open any more; check in again.");
            }
        }

        object? message;
        try
        {
            message = Parse(step, body);
        }
        catch (JsonException e)
        {
            return new StepAnswer(StepVerdict.Malformed, e.Message);
        }

        if (message is null)
        {
            return new StepAnswer(StepVerdict.Malformed, $"The body is no {step} of this run.");
        }

        var digest = SHA256.HashData(body.Span);
        lock (gate)
        {
            if (stopping.IsCancellationRequested)
            {
                return new StepAnswer(StepVerdict.Unavailable, "The run's host is closing.");
            }

            return step == SecureSumSteps.Keys ? Join(client, assignment, (Advertisement)message, digest) : Take(client, assignment, step, message, digest);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await timer.DisposeAsync().ConfigureAwait(false);
        Task[] endings;
        lock (gate)
        {
            foreach (var session in open)
            {
                if (!session.IsOpening)
                {
                    session.Server.Abort("the coordinator is stopping");
                }

                session.Pulse();
            }

            endings = [.. open.Select(session => session.Ending)];
            open.Clear();
            forming = null;
        }

        await Task.WhenAll(endings).ConfigureAwait(false); // A sum that is being opened is read: nothing of it may be erased under it.
    }

    private double Now => clock.GetElapsedTime(start).TotalSeconds;

    private object? Parse(string step, ReadOnlyMemory<byte> body)
    {
        switch (step)
        {
            case SecureSumSteps.Keys:
                return JsonSerializer.Deserialize(body.Span, WireJson.Default.Advertisement);
            case SecureSumSteps.Shares:
                return JsonSerializer.Deserialize(body.Span, WireJson.Default.KeyShares);
            case SecureSumSteps.Signature:
                return JsonSerializer.Deserialize(body.Span, WireJson.Default.SurvivorsSignature);
            case SecureSumSteps.Unmask:
                return JsonSerializer.Deserialize(body.Span, WireJson.Default.UnmaskShares);
            case SecureSumSteps.Input:
                var words = new uint[terms.Length];
                return WordPacking.TryUnpack(body.Span, terms.Bits, words) ? words : null;
            default:
                return null;
        }
    }

    private Seat? Find(ClientId client, AssignmentId assignment) => seats.TryGetValue(assignment.Value, out var seat) && seat.Client == client ? seat : null;

    private StepAnswer Join(ClientId client, AssignmentId assignment, Advertisement advertisement, byte[] digest)
    {
        if (advertisement.Member != host.NameOf(client))
        {
            return new StepAnswer(StepVerdict.Refused, $"This client's id among the members is '{host.NameOf(client)}'.");
        }

        if (Find(client, assignment) is { } seat && !seat.Session.IsOver)
        {
            return seat.Repeats(SecureSumSteps.Keys, digest) ?? new StepAnswer(StepVerdict.Refused, "This assignment is in a session already.");
        }

        var session = forming;
        if (session is null)
        {
            session = forming = new Session(new SessionServer(terms, numbers++), Now) { Until = Now + parts.Plan.Options.GatherSeconds };
            open.Add(session);
            SetTicking();
        }

        if (session.Server.Add(advertisement) is { } refusal)
        {
            return new StepAnswer(StepVerdict.Refused, $"The keys cannot be taken: {refusal}.");
        }

        var joined = new Seat(session, client, assignment, advertisement.Member);
        joined.Note(SecureSumSteps.Keys, digest);
        session.Seats.Add(joined);
        seats[assignment.Value] = joined;
        Consider(session);
        return StepAnswer.Taken;
    }

    private StepAnswer Take(ClientId client, AssignmentId assignment, string step, object message, byte[] digest)
    {
        if (Find(client, assignment) is not { } seat)
        {
            return InNoSession;
        }

        if (seat.Repeats(step, digest) is { } known)
        {
            return known;
        }

        var (server, index) = (seat.Session.Server, seat.Index);
        if (seat.Session.IsOver || seat.Session.IsOpening || index < 0)
        {
            return new StepAnswer(StepVerdict.Refused, $"The session is at {SecureSumState.NameOf(server.Phase)}. {server.Problem}");
        }

        var refusal = message switch
        {
            KeyShares shares => server.Add(index, shares),
            uint[] words => server.Add(index, words),
            SurvivorsSignature signature => server.Add(index, signature.Signature),
            UnmaskShares shares => server.Add(index, shares),
            _ => "it is no step of a session",
        };
        if (refusal is not null)
        {
            return new StepAnswer(StepVerdict.Refused, $"Step {step} is not taken: {refusal}.");
        }

        seat.Note(step, digest);
        Consider(seat.Session);
        return StepAnswer.Taken;
    }

    /// <summary>Goes on as soon as nobody is waited for any more.</summary>
    private void Consider(Session session)
    {
        var server = session.Server;
        var isComplete = server.Phase switch
        {
            SessionPhase.Advertise => server.Present >= parts.Plan.Minimum
                && (server.Present >= parts.Plan.Most || (parts.Plan.IsSynchronous && server.Present >= host.View.Counters.InFlight)),
            SessionPhase.Unmask => server.CanOpen,
            SessionPhase.Done or SessionPhase.Aborted => false,
            _ => server.Present >= server.Expected,
        };
        if (isComplete)
        {
            Advance(session);
        }
    }

    /// <summary>Ends a phase with those who are there.</summary>
    private void Advance(Session session)
    {
        if (session.IsOpening || session.IsOver)
        {
            return;
        }

        if (session.Server.Phase == SessionPhase.Unmask)
        {
            session.IsOpening = true;
            session.Ending = Task.Run(() => EndAsync(session), CancellationToken.None);
            return;
        }

        if (forming == session)
        {
            forming = null;
        }

        try
        {
            session.Server.Advance();
        }
        catch (PrivacyException e)
        {
            session.Server.Abort(e.Message);
        }

        foreach (var seat in session.Seats)
        {
            seat.Index = session.Server.IndexOf(seat.Member);
        }

        session.Until = Now + parts.Plan.Options.PhaseSeconds;
        if (session.Server.Phase == SessionPhase.Aborted)
        {
            session.IsOpening = true;
            session.Ending = Task.Run(() => EndAsync(session), CancellationToken.None);
        }

        session.Pulse();
    }

    private void OnTick()
    {
        lock (gate)
        {
            foreach (var session in open.ToList())
            {
                if (Now >= session.Until)
                {
                    Advance(session);
                }
                else if (session.Server.Phase == SessionPhase.Advertise)
                {
                    Consider(session); // Others of the round may have been lost meanwhile.
                }
            }

            SetTicking();
        }
    }

    private void SetTicking()
    {
        var wanted = open.Count > 0 && !stopping.IsCancellationRequested;
        if (wanted != isTicking)
        {
            isTicking = wanted;
            timer.Change(wanted ? Tick : Timeout.InfiniteTimeSpan, wanted ? Tick : Timeout.InfiniteTimeSpan);
        }
    }
}
