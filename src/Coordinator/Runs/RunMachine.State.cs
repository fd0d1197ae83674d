using Federated.Aggregation.Randomness;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <content>Snapshot and recovery: everything that a continued run needs, and nothing else.</content>
public sealed partial class RunMachine
{
    /// <summary>First bytes of a snapshot: the form below.</summary>
    private const int SnapshotFormat = 3;

    /// <summary>The form before groups; it can still be read.</summary>
    private const int WithoutGroups = 2;

    /// <summary>Writes the machine's whole state, its scheduler's included; only between two events.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(SnapshotFormat);
        writer.Write(scheduler.Name);
        writer.Write(Now);
        writer.Write(Version);
        writer.Write((int)Status);
        writer.Write(nextAssignment);
        foreach (var counter in (ReadOnlySpan<long>)[dispatched, accepted, rejected, lost, ignored, accumulated])
        {
            writer.Write(counter);
        }

        writer.Write(nonFiniteInARow);
        writer.Write(bestAccuracy);
        writer.Write(bestVersion);
        writer.Write(firstLoss);
        writer.Write(evaluationsSinceBest);
        writer.Write(lastEvaluationRequested);
        writer.Write(Ended.HasValue);
        if (Ended is { } ended)
        {
            writer.Write((int)ended.Reason);
            writer.Write(ended.Detail);
        }

        var (s0, s1, s2, s3) = random.State;
        foreach (var word in (ReadOnlySpan<ulong>)[s0, s1, s2, s3])
        {
            writer.Write(word);
        }

        writer.Write(ClientCount);
        for (var i = 0; i < ClientCount; i++)
        {
            clients[i].Save(writer);
        }

        available.Save(writer);
        writer.Write(inFlight.Count);
        foreach (var assignment in inFlight.Values.OrderBy(a => a.Id))
        {
            writer.WriteAssignment(assignment);
        }

        writer.Write(armed.Count);
        foreach (var (number, time) in armed.OrderBy(pair => pair.Key))
        {
            writer.Write(number);
            writer.Write(time);
        }

        writer.Write(openAggregate.Count);
        foreach (var entry in openAggregate)
        {
            writer.WriteAssignment(entry.Assignment);
            writer.WriteReport(entry.Report);
            writer.Write(entry.Weight);
            writer.Write(entry.Staleness);
            writer.Write((int)entry.Basis);
        }

        scheduler.Save(writer);
        limiter?.Save(writer);
        SaveGroups(writer);
    }

    /// <summary>Replaces the state of a fresh machine with a snapshot's. Options and scheduler must be those of the saved run.</summary>
    /// <exception cref="CoordinatorException">The snapshot is of another format or another scheduler.</exception>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var format = reader.ReadInt32();
        if (format is not (SnapshotFormat or WithoutGroups))
        {
            throw new CoordinatorException($"This build reads run snapshots of formats {WithoutGroups} and {SnapshotFormat}; this one has format {format}. Use the build that wrote it.");
        }

        if (reader.ReadString() is var name && name != scheduler.Name)
        {
            throw new CoordinatorException($"The snapshot is of a run with scheduler '{name}'; this run's is '{scheduler.Name}'. A run keeps its scheduler.");
        }

        Now = reader.ReadDouble();
        Version = reader.ReadInt32();
        Status = (RunStatus)reader.ReadInt32();
        nextAssignment = reader.ReadInt64();
        dispatched = reader.ReadInt64();
        accepted = reader.ReadInt64();
        rejected = reader.ReadInt64();
        lost = reader.ReadInt64();
        ignored = reader.ReadInt64();
        accumulated = reader.ReadInt64();
        nonFiniteInARow = reader.ReadInt32();
        bestAccuracy = reader.ReadDouble();
        bestVersion = reader.ReadInt32();
        firstLoss = reader.ReadDouble();
        evaluationsSinceBest = reader.ReadInt32();
        lastEvaluationRequested = reader.ReadInt32();
        Ended = reader.ReadBoolean() ? ((FinishReason)reader.ReadInt32(), reader.ReadString()) : null;
        random = SeededRandom.FromState((reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64()));
        ClientCount = reader.ReadInt32();
        clients = new ClientRecord[ClientCount];
        for (var i = 0; i < ClientCount; i++)
        {
            clients[i] = ClientRecord.Load(reader);
        }

        available.Load(reader);
        inFlight.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            var assignment = reader.ReadAssignment();
            inFlight.Add(assignment.Id.Value, assignment);
        }

        armed.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            armed.Add(reader.ReadInt64(), reader.ReadDouble());
        }

        openAggregate.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            openAggregate.Add(new Accumulate(
                reader.ReadAssignment(), reader.ReadReport(), reader.ReadDouble(), reader.ReadInt32(), (DeltaBasis)reader.ReadInt32()));
        }

        scheduler.Load(reader);
        limiter?.Load(reader, Version);
        resting.Clear();
        for (var i = 0; i < ClientCount; i++)
        {
            if (clients[i].HeldBack)
            {
                _ = IsHeldByLimits(new ClientId(i));
            }
        }

        if (format != WithoutGroups)
        {
            LoadGroups(reader);
        }
    }

    /// <summary>
    /// The effects that a host must carry out again after <see cref="Load"/>: the deadlines still armed, and the accepted updates of
    /// the open aggregate. Dispatches are not among them: a client that asks again is given its lease again.
    /// </summary>
    public void Recover(List<RunEffect> effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        effects.AddRange(openAggregate);
        foreach (var assignment in inFlight.Values.Where(a => double.IsFinite(a.Deadline)).OrderBy(a => a.Id))
        {
            effects.Add(new ArmDeadline(new Deadline(DeadlineKind.Assignment, assignment.Id.Value), assignment.Deadline));
        }

        foreach (var (number, time) in armed.OrderBy(pair => pair.Key))
        {
            effects.Add(new ArmDeadline(new Deadline(DeadlineKind.Scheduler, number), time));
        }

        for (var i = 0; i < ClientCount; i++)
        {
            if (clients[i].HeldBack && options.CoolDown > 0)
            {
                effects.Add(new ArmDeadline(new Deadline(DeadlineKind.CoolDown, i), clients[i].LastDispatchedAt + options.CoolDown));
            }
        }

        if (options.Stop.Seconds > 0 && Status is RunStatus.Running or RunStatus.Paused)
        {
            effects.Add(new ArmDeadline(new Deadline(DeadlineKind.Run, 0), options.Stop.Seconds));
        }
    }
}
