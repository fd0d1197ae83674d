using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>The one thread of the run: everything here is called by the loop alone.</content>
public sealed partial class RunHost
{
    /// <summary>Ended assignments whose end is remembered for clients that ask.</summary>
    private const int RememberedCancels = 1 << 16;

    private readonly DeadlineQueue deadlines = new();
    private readonly Dictionary<int, CheckInItem> polls = [];
    private readonly Dictionary<int, double> absent = [];
    private readonly Queue<(int Client, double Since)> absentInOrder = new();
    private readonly Dictionary<long, List<WatchItem>> watches = [];
    private readonly Dictionary<long, ClientId> cancelled = [];
    private readonly Queue<long> cancelledInOrder = new();
    private readonly Dictionary<string, ClientId> joining = new(StringComparer.Ordinal);
    private readonly List<Item> group = [];
    private readonly List<LoggedEvent> events = [];
    private readonly List<int> eventOf = [];
    private DroppedReports? dropped;
    private DurableRun run = null!;
    private double clockOffset;

    /// <summary>Records that the log has had from this host: fewer on opening it again say that the run was deleted meanwhile.</summary>
    private long reached;
    private long clockStart;
    private bool saveNow, closing;

    private double Now => clockOffset + clock.GetElapsedTime(clockStart).TotalSeconds;

    private async Task LoopAsync()
    {
        var isOpen = await OpenRunAsync().ConfigureAwait(false);
        attempted.TrySetResult();
        opened.TrySetResult();
        var reader = mailbox.Reader;
        while (await reader.WaitToReadAsync().ConfigureAwait(false))
        {
            group.Clear();
            while (group.Count < options.GroupSize && reader.TryRead(out var item))
            {
                group.Add(item);
            }

            Interlocked.Add(ref depth, -group.Count);
            if (!isOpen)
            {
                RefuseGroup(view.Host.IsUnreadable() ? HostOutcome.Failed : HostOutcome.Closed);
                continue;
            }

            try
            {
                await HandleGroupAsync().ConfigureAwait(false);
                if (closing)
                {
                    await CloseRunAsync(HostState.Closed, "The host is closed.").ConfigureAwait(false);
                    isOpen = false;
                }
            }
            catch (FencedException e)
            {
                view = view with { Host = HostState.Fenced, Problem = e.Message }; // Before anybody is told.
                RefuseGroup(HostOutcome.Closed);
                await CloseRunAsync(HostState.Fenced, e.Message).ConfigureAwait(false);
                isOpen = false;
            }
            catch (Exception e) when (MayPass(e))
            {
                view = view with { Host = HostState.Opening, Problem = e.Message };
                RefuseGroup(HostOutcome.Unavailable);
                while (reader.TryRead(out var waiting))
                {
                    Interlocked.Decrement(ref depth);
                    waiting.Refuse(HostOutcome.Unavailable, Soon); // Nobody knows when the store will be well again.
                }

                LetEverybodyGo(HostOutcome.Unavailable);
                await run.DisposeAsync().ConfigureAwait(false);
                isOpen = await OpenRunAsync().ConfigureAwait(false);
                if (!isOpen)
                {
                    timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    CloseFeeds();
                }
            }
            catch (Exception e)
            {
                view = view with { Host = HostState.Failed, Problem = e.Message }; // Before anybody is told.
                RefuseGroup(HostOutcome.Failed);
                await CloseRunAsync(HostState.Failed, e.Message).ConfigureAwait(false);
                isOpen = false;
            }
        }

        if (isOpen)
        {
            await CloseRunAsync(HostState.Closed, "").ConfigureAwait(false); // It was asked to close while it was opening again.
        }
    }

    private async Task HandleGroupAsync()
    {
        var now = Math.Max(Now, run.Machine.Now);
        events.Clear();
        eventOf.Clear();
        joining.Clear();
        foreach (var item in group)
        {
            var e = item.Event(this, now);
            eventOf.Add(e is null ? -1 : events.Count);
            if (e is { } logged)
            {
                events.Add(logged);
            }
        }

        AddTimed(now);
        foreach (var item in group)
        {
            item.Attach(this);
        }

        IReadOnlyList<IReadOnlyList<RunEffect>> effects = [];
        if (events.Count > 0)
        {
            var first = run.NextSequence;
            effects = await run.PostAsync(events, stopping.Token).ConfigureAwait(false);
            reached = run.NextSequence;
            ShowView(); // Before anybody is told: whoever hears of a version asks for its model at once.
            for (var i = 0; i < events.Count; i++)
            {
                Deliver(events[i], effects[i], first + i, run.Observed[i]);
            }
        }

        if (saveNow)
        {
            await run.SaveAsync(stopping.Token).ConfigureAwait(false);
            saveNow = false;
            ShowView(); // Before whoever asked for it is told.
        }

        for (var i = 0; i < group.Count; i++)
        {
            group[i].Complete(this, eventOf[i] < 0 ? [] : effects[eventOf[i]]);
        }

        StartEvaluation();
        OfferEvaluation();
        deadlines.Compact(run.Machine);
        ShowView();
        SetTimer();
    }

    /// <summary>What time alone brings: deadlines, after the arrivals of the same instant, and clients that did not come back.</summary>
    private void AddTimed(double now)
    {
        while (deadlines.TryTake(now, out var deadline))
        {
            if (run.Machine.Matters(deadline))
            {
                events.Add(new LoggedEvent(new DeadlinePassed(now, deadline)));
            }
        }

        if (EndOfClientEvaluation(now) is { } evaluated)
        {
            events.Add(evaluated);
        }

        while (absentInOrder.TryPeek(out var head) && head.Since + options.AbsenceGrace <= now)
        {
            absentInOrder.Dequeue();
            if (absent.TryGetValue(head.Client, out var since) && since == head.Since)
            {
                absent.Remove(head.Client);
                if (!polls.ContainsKey(head.Client) && run.Machine.IsWaiting(new ClientId(head.Client)))
                {
                    events.Add(new LoggedEvent(new CheckOut(now, new ClientId(head.Client))));
                }
            }
        }
    }

    private void SetTimer()
    {
        var next = deadlines.Next;
        if (absentInOrder.TryPeek(out var head))
        {
            next = Math.Min(next, head.Since + options.AbsenceGrace);
        }

        next = Math.Min(next, byClients?.Until ?? double.PositiveInfinity);
        if (next <= Now)
        {
            Wake(); // Schedulers arm deadlines for this very instant: with the arrivals that wait, they make the next group.
            return;
        }

        // A timer takes at most about 49 days; waking early is harmless, and a little late is better than a little early.
        var due = double.IsFinite(next)
            ? TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling((next - Now) * 1000), 0, int.MaxValue))
            : Timeout.InfiniteTimeSpan;
        timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private async Task CloseRunAsync(HostState state, string problem)
    {
        var wasSound = state == HostState.Closed;
        view = view with { Host = state, Problem = wasSound ? "" : problem };
        await stopping.CancelAsync().ConfigureAwait(false);
        timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        LetEverybodyGo(state.Outcome());
        if (wasSound)
        {
            try
            {
                await run.SaveAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (StorageException)
            {
                // Nothing acknowledged is lost: the log has it all.
            }
        }

        await run.DisposeAsync().ConfigureAwait(false);
        CloseFeeds();
    }

    private void CloseFeeds()
    {
        foreach (var feed in feeds)
        {
            feed.Close();
        }
    }
}
