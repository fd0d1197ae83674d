using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Storage;
using Federated.Protocol;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Identity;

/// <summary>
/// Where everything meets that concerns one client, whichever silos and runs it talks to: its signatures are checked here, one after the
/// other, and what front doors ask at every request they ask here once in a few seconds.
/// </summary>
/// <remarks>
/// Credentials are the registry's and are read at activation. The rest is kept in memory and noted to the registry every ten minutes in
/// which something happened, and when the activation ends; a silo that dies takes the last minutes of it along: it is for people to look
/// at, and nothing is decided by it. What must never be lost (participations that privacy counts) is in each run's own log.
/// </remarks>
[Reentrant] // A check that waits for the registry must not keep the next request out.
internal sealed class ClientGrain(TimeProvider clock, IdentityOptions options) : Grain, IClientGrain
{
    /// <summary>Seconds between two notes.</summary>
    private const double NoteEvery = 600;

    /// <summary>Weight of the newest update in the smoothed speed.</summary>
    private const double Newest = 0.25;

    /// <summary>When a silo stops, the registry's shares move at the same time.</summary>
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(15);

    private ClientRecord? record;
    private Participation[] runs = [];
    private double lastSeen, notedAt, secondsPerStep;
    private (string Run, long Assignment, double At) grant = ("", -1, 0);
    private (string Run, long Assignment) taken = ("", -1);

    private string Id => this.GetPrimaryKeyString();

    private IRegistryGrain Registry => GrainFactory.GetGrain<IRegistryGrain>(Shares.OfClient(Id));

    private double Now => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await ChangedAsync();
        if (record?.Note is { } note)
        {
            (lastSeen, notedAt, secondsPerStep, runs) = (note.LastSeen, note.LastSeen, note.SecondsPerStep, note.Runs);
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        record is not null && lastSeen > notedAt ? NoteAsync(Leaving) : Task.CompletedTask;

    public async Task ChangedAsync() => record = await Registry.FindAsync(Id);

    public async Task<ClientStanding?> SeenAsync()
    {
        if (record is null)
        {
            LeaveNothing();
            return null;
        }

        await NoteSeenAsync();
        return new ClientStanding(record.Name, record.RevokedAt is not null);
    }

    public async Task<AssertionVerdict> ExchangeAsync(string assertion, string coordinator)
    {
        if (Assertion.Parse(assertion, out var error) is not { } parsed || parsed.Client != Id)
        {
            return new AssertionVerdict(Refusal.AssertionInvalid, error);
        }

        LeaveNothing();
        var (refusal, detail) = parsed.ProblemFor(record?.Key, record?.RevokedAt is not null, coordinator, Now, options.ClockSkewSeconds);
        if (refusal == Refusal.None && !await Registry.TakeAsync(Id, parsed.Id))
        {
            (refusal, detail) = (Refusal.AssertionReplayed, "Make a new assertion with another jti for every request.");
        }

        return new AssertionVerdict(refusal, detail);
    }

    public Task GrantedAsync(string run, ClientId number, AssignmentId assignment)
    {
        if (grant.Run != run || grant.Assignment != assignment.Value)
        {
            grant = (run, assignment.Value, Now);
            Count(run, number.Value, granted: 1, taken: 0);
        }

        return NoteSeenAsync();
    }

    public Task TakenAsync(string run, ClientId number, AssignmentId assignment, int steps)
    {
        if (taken == (run, assignment.Value))
        {
            return NoteSeenAsync(); // Sent again after its connection broke.
        }

        taken = (run, assignment.Value);
        Count(run, number.Value, granted: 0, taken: 1);
        if (grant.Run == run && grant.Assignment == assignment.Value && steps > 0)
        {
            var measured = Math.Max(0, Now - grant.At) / steps;
            secondsPerStep = secondsPerStep == 0 ? measured : ((1 - Newest) * secondsPerStep) + (Newest * measured);
        }

        return NoteSeenAsync();
    }

    public Task<ClientRecord?> DescribeAsync() => Task.FromResult(record is null ? null : record with { Note = Note() });

    /// <summary>Anybody may ask for any name; those that are nobody's must not fill the memory. Not while activating: the request would be passed on for ever.</summary>
    private void LeaveNothing()
    {
        if (record is null)
        {
            DeactivateOnIdle();
        }
    }

    private void Count(string run, int number, int granted, int taken)
    {
        var at = Array.FindIndex(runs, r => r.Run == run);
        if (at < 0)
        {
            runs = [.. runs, new Participation(run, number, granted, taken)];
        }
        else
        {
            runs[at] = new Participation(run, number, runs[at].Granted + granted, runs[at].Taken + taken);
        }
    }

    private Task NoteSeenAsync()
    {
        lastSeen = Now;
        return record is not null && lastSeen - notedAt >= NoteEvery ? NoteAsync(TimeSpan.Zero) : Task.CompletedTask;
    }

    private async Task NoteAsync(TimeSpan patience)
    {
        notedAt = lastSeen;
        try
        {
            var note = Note();
            await Patience.AskAsync(() => Registry.NoteAsync(note), patience, clock, CancellationToken.None);
        }
        catch (StorageException)
        {
            // The next note says it all again.
        }
    }

    private ClientNote Note() => new(Id, lastSeen, secondsPerStep, [.. runs]);
}
