using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>How the loop comes by its run: from the log, again and again while the store fails, with what it had going.</content>
public sealed partial class RunHost
{
    /// <summary>Opens the run from its log, again and again while the store fails.</summary>
    private async Task<bool> OpenRunAsync()
    {
        for (var pause = 0.1; ; pause = Math.Min(2 * pause, options.LongestRetry))
        {
            try
            {
                if (Entry.Damage.Length > 0)
                {
                    throw new DamagedException(Entry.Damage);
                }

                var parts = factory.Create(Entry.Configuration, store.Blobs);
                var (newMembers, newHistory) = (new Members(), new History(parts.Sections.OfType<IPrivacyLedger>().FirstOrDefault()));
                var newDropped = parts.Shuffle is null ? null : new DroppedReports();
                run = await DurableRun.OpenAsync(
                    parts, store.OpenLog(Entry.Log), store.Blobs, memory, options.Durability, stopping.Token, Entry.Origin,
                    newDropped is null ? [newMembers, newHistory] : [newMembers, newHistory, newDropped], Entry.HasBegun && reached == 0)
                    .ConfigureAwait(false);
                await LeaveIfDeletedAsync().ConfigureAwait(false);
                (members, history, dropped) = (newMembers, newHistory, newDropped);
                clockStart = clock.GetTimestamp();
                clockOffset = Math.Max(run.Machine.Now, (clock.GetUtcNow() - Entry.CreatedAt).TotalSeconds);
                facts = parts;
                if (isWatched)
                {
                    parts.Observer?.Watch();
                }

                await ResumeAsync().ConfigureAwait(false);
                return true;
            }
            catch (FencedException e)
            {
                view = view with { Host = HostState.Fenced, Problem = e.Message };
                return false;
            }
            catch (DamagedException e)
            {
                view = view with { Host = HostState.Damaged, Problem = e.Message };
                return false;
            }
            catch (Exception e) when (MayPass(e))
            {
                view = view with { Host = HostState.Opening, Problem = e.Message };
                attempted.TrySetResult();
                if (run is not null)
                {
                    await run.DisposeAsync().ConfigureAwait(false); // It may have been opened before it failed.
                }

                try
                {
                    await Task.Delay(TimeSpan.FromSeconds(pause), clock, leaving.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    view = view with { Host = HostState.Closed };
                    return false;
                }
            }
            catch (OperationCanceledException)
            {
                return false;
            }
            catch (Exception e)
            {
                view = view with { Host = HostState.Failed, Problem = e.Message };
                return false;
            }
        }
    }

    /// <summary>
    /// Whether it may go better another time: the store's failures, and those of the machine below it that come through. What is stored and
    /// cannot be read is none of them, though <see cref="EndOfStreamException"/> calls itself one.
    /// </summary>
    private static bool MayPass(Exception e) => e is StorageException or UnauthorizedAccessException or TimeoutException or (IOException and not EndOfStreamException);

    /// <summary>A log that has been deleted is opened as a new one, which is nobody else's: it is deleted again.</summary>
    /// <exception cref="FencedException">The run was deleted, by another host of it.</exception>
    private async Task LeaveIfDeletedAsync()
    {
        if (run.NextSequence >= reached)
        {
            reached = run.NextSequence;
            return;
        }

        var isEmpty = run.NextSequence == 0;
        await run.DisposeAsync().ConfigureAwait(false);
        if (isEmpty)
        {
            await store.DeleteLogAsync(Entry.Log, stopping.Token).ConfigureAwait(false);
        }

        throw new FencedException($"Run '{Entry.Id}' was deleted by another process; this one lets it go.");
    }

    /// <summary>Takes up what the run had going before it was opened.</summary>
    private async Task ResumeAsync()
    {
        deadlines.Clear();
        absent.Clear();
        absentInOrder.Clear();
        var now = Now;
        foreach (var effect in run.Recovered.OfType<ArmDeadline>())
        {
            deadlines.Arm(effect with { Time = Math.Max(effect.Time, now + GraceFor(effect, now)) });
        }

        for (var i = 0; i < run.Machine.ClientCount; i++)
        {
            if (run.Machine.IsWaiting(new ClientId(i)))
            {
                NoteAbsent(new ClientId(i)); // Nobody is connected any more.
            }
        }

        if (run.Machine.Status == RunStatus.Created)
        {
            events.Clear();
            events.Add(new LoggedEvent(new RunStarted(now)));
            Deliver(events[0], (await run.PostAsync(events, stopping.Token).ConfigureAwait(false))[0], run.NextSequence - 1, run.Observed[0]);
            reached = run.NextSequence;
        }
        else
        {
            ResumeEvaluation();
        }

        ShowView();
        SetTimer();
    }

    /// <summary>
    /// How much later than now a deadline may pass that was armed before the run was opened: leases and rounds that ended while nobody
    /// could reach the coordinator are not held against its clients; what was due before that is due at once.
    /// </summary>
    private double GraceFor(ArmDeadline effect, double now) => effect.Deadline.Kind switch
    {
        DeadlineKind.Assignment => options.RecoveryGrace,
        DeadlineKind.Scheduler when effect.Time > run.Machine.Now => Math.Min(options.RecoveryGrace, now - run.Machine.Now),
        _ => 0,
    };
}
