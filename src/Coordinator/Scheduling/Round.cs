using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>One round after the other: when it opens and ends, whose updates it waits for, and how many it has. What schedulers with rounds share.</summary>
internal sealed class Round
{
    private const long OpenKind = 0, EndKind = 1;

    private readonly HashSet<long> outstanding = [];
    private bool asked;

    /// <summary>Which of the round's deadlines passed.</summary>
    public enum Passed
    {
        /// <summary>One of an earlier round.</summary>
        Nothing,

        /// <summary>The next round may open.</summary>
        Opening,

        /// <summary>The open round is overdue.</summary>
        End,
    }

    /// <summary>Rounds opened so far.</summary>
    public long Number { get; private set; }

    public bool IsOpen { get; private set; }

    /// <summary>Whether the open round's deadline has passed.</summary>
    public bool IsOverdue { get; private set; }

    /// <summary>Updates of the open round that are in.</summary>
    public int Reports { get; set; }

    /// <summary>Members of the open round that may still report.</summary>
    public int Outstanding => outstanding.Count;

    /// <summary>When the open round is overdue, in seconds on the run's clock; +∞ for never.</summary>
    public double End { get; private set; } = double.PositiveInfinity;

    /// <summary>Has <see cref="Passed.Opening"/> come once all check-ins of this instant, or of the window, are in; asks once a round.</summary>
    /// <param name="window">Seconds to wait for further check-ins.</param>
    public void AskToOpen(ISchedulingContext run, double window)
    {
        if (!IsOpen && !asked)
        {
            asked = true;
            run.Arm((Number << 1) | OpenKind, run.Now + window);
        }
    }

    /// <param name="seconds">After which the round is overdue; 0 for never.</param>
    public void Open(ISchedulingContext run, double seconds)
    {
        Number++;
        (IsOpen, IsOverdue, Reports) = (true, false, 0);
        End = seconds > 0 ? run.Now + seconds : double.PositiveInfinity;
        if (double.IsFinite(End))
        {
            run.Arm((Number << 1) | EndKind, End);
        }
    }

    public Passed OnDeadline(long number)
    {
        var (kind, round) = (number & 1, number >> 1);
        if (kind == OpenKind && asked)
        {
            asked = false;
            return Passed.Opening;
        }

        if (kind == EndKind && IsOpen && round == Number)
        {
            IsOverdue = true;
            return Passed.End;
        }

        return Passed.Nothing;
    }

    public void Invite(ISchedulingContext run, ClientId client, LocalWork work) => outstanding.Add(run.Dispatch(client, work).Id.Value);

    public void Ended(Assignment assignment) => outstanding.Remove(assignment.Id.Value);

    /// <summary>Abandons who has not reported, and publishes.</summary>
    /// <returns>The new version.</returns>
    public int Close(ISchedulingContext run)
    {
        IsOpen = false;
        foreach (var id in outstanding.Order().ToList())
        {
            run.Abandon(new AssignmentId(id), Rejection.RoundClosed, $"round {Number} closed with {Reports} updates");
        }

        outstanding.Clear();
        return run.Publish();
    }

    /// <param name="withDrawn">Leaves the place in which rounds by coins have always had a number more, so that runs of older builds are read and theirs are by them.</param>
    public void Save(BinaryWriter writer, bool withDrawn = false)
    {
        writer.Write(Number);
        writer.Write(IsOpen);
        writer.Write(asked);
        writer.Write(IsOverdue);
        writer.Write(Reports);
        if (withDrawn)
        {
            writer.Write(Reports + Outstanding);
        }

        writer.Write(End);
        writer.Write(outstanding.Count);
        foreach (var id in outstanding.Order())
        {
            writer.Write(id);
        }
    }

    /// <param name="withDrawn">As it was saved.</param>
    public void Load(BinaryReader reader, bool withDrawn = false)
    {
        Number = reader.ReadInt64();
        IsOpen = reader.ReadBoolean();
        asked = reader.ReadBoolean();
        IsOverdue = reader.ReadBoolean();
        Reports = reader.ReadInt32();
        if (withDrawn)
        {
            _ = reader.ReadInt32();
        }

        End = reader.ReadDouble();
        outstanding.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            outstanding.Add(reader.ReadInt64());
        }
    }
}
