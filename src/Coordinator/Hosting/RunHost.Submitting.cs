using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Hosting;

/// <content>Updates on their way in: what is not an update of this model is found out before anything is posted. On the callers' threads.</content>
public sealed partial class RunHost
{
    /// <summary>Counts an update whose blobs are up.</summary>
    public async Task<SubmitResult> SubmitAsync(UpdateSubmission submission, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(submission);
        if (NotOpen is { } outcome)
        {
            return new UpdateNotAsked(outcome, Soon);
        }

        await using var intake = new Intake(store.Blobs, memory, options.ReadAheadBytes, Parts.Model, submission);
        try
        {
            switch (await intake.CheckAsync(submission, cancellation).ConfigureAwait(false))
            {
                case { Missing: { IsEmpty: false } missing }:
                    return new BlobsMissing(missing);
                case { Problem: { Length: > 0 } problem }:
                    return new NotAnUpdate(problem);
                case var check:
                    var item = new SubmitItem(check.Submission);
                    Post(item);
                    return await item.Task.ConfigureAwait(false);
            }
        }
        catch (StorageException)
        {
            return new UpdateNotAsked(HostOutcome.Unavailable, Soon);
        }
    }

    /// <summary>
    /// Counts the updates of a group, all in one event and durable at once: those that only count together, such as a shuffled batch or a
    /// securely aggregated cohort. Safe to repeat under the same name: a group counts once and is answered as it was.
    /// </summary>
    /// <remarks>
    /// Members may name the same blobs, which are checked once. A member that cannot be an update of this model keeps the group from being
    /// posted; who wants the others to count sends that member with a report that the run rejects (no local step), or leaves it out.
    /// </remarks>
    /// <param name="group">Names the group in this run.</param>
    /// <param name="members">In the order in which they count; none is told of its next assignment, whether it says it is ready or not.</param>
    public async Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(group);
        ArgumentNullException.ThrowIfNull(members);
        if (NotOpen is { } outcome)
        {
            return new GroupNotAsked(outcome, Soon);
        }

        await using var intake = new Intake(store.Blobs, memory, options.ReadAheadBytes, Parts.Model, members);
        try
        {
            List<UpdateSubmission> sound = [];
            List<NotInGroup> unsound = [];
            foreach (var member in members)
            {
                var check = await intake.CheckAsync(member, cancellation).ConfigureAwait(false);
                sound.Add(check.Submission);
                if (check.Problem.Length > 0 || !check.Missing.IsEmpty)
                {
                    unsound.Add(new NotInGroup(member.Assignment, check.Problem, check.Missing));
                }
            }

            if (unsound.Count > 0)
            {
                return new GroupUnsound([.. unsound]);
            }

            var item = new GroupItem(group, sound);
            Post(item);
            return await item.Task.ConfigureAwait(false);
        }
        catch (StorageException)
        {
            return new GroupNotAsked(HostOutcome.Unavailable, Soon);
        }
    }

    /// <summary>What to answer while the run is not open; null when it is.</summary>
    private HostOutcome? NotOpen => view.Host.Outcome() is not HostOutcome.Done and var outcome ? outcome : null;
}
