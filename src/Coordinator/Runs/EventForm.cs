using System.Collections.Immutable;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <summary>How an event stands in the log: a kind byte, its time, its fields in order. Kinds are never renumbered.</summary>
public static class EventForm
{
    public static void WriteEvent(this BinaryWriter writer, RunEvent e)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(e);
        writer.Write(KindOf(e));
        writer.Write(e.Time);
        switch (e)
        {
            case ClientJoined joined:
                writer.Write(joined.Client.Value);
                writer.Write(joined.Examples);
                break;
            case CheckIn checkIn:
                writer.Write(checkIn.Client.Value);
                break;
            case CheckOut checkOut:
                writer.Write(checkOut.Client.Value);
                break;
            case UpdateArrived update:
                WriteArrival(writer, update);
                break;
            case GroupArrived group:
                writer.Write(group.Group);
                writer.Write(group.Members.Length);
                foreach (var member in group.Members)
                {
                    WriteArrival(writer, member);
                }

                break;
            case AssignmentFailed failed:
                writer.Write(failed.Assignment.Value);
                writer.Write(failed.Client.Value);
                writer.Write(failed.Reason);
                break;
            case ClientLost lost:
                writer.Write(lost.Client.Value);
                break;
            case DeadlinePassed passed:
                writer.Write((int)passed.Deadline.Kind);
                writer.Write(passed.Deadline.Number);
                break;
            case EvaluationArrived evaluation:
                writer.Write(evaluation.Version);
                writer.Write(evaluation.Accuracy);
                writer.Write(evaluation.Loss);
                break;
            case OperatorCommand command:
                writer.Write((int)command.Action);
                writer.Write(command.Reason);
                break;
        }
    }

    public static RunEvent ReadEvent(this BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var kind = reader.ReadByte();
        var time = reader.ReadDouble();
        return kind switch
        {
            1 => new RunStarted(time),
            2 => new ClientJoined(time, new ClientId(reader.ReadInt32()), reader.ReadDouble()),
            3 => new CheckIn(time, new ClientId(reader.ReadInt32())),
            4 => new CheckOut(time, new ClientId(reader.ReadInt32())),
            5 => ReadArrival(reader, time),
            6 => new AssignmentFailed(time, new AssignmentId(reader.ReadInt64()), new ClientId(reader.ReadInt32()), reader.ReadString()),
            7 => new ClientLost(time, new ClientId(reader.ReadInt32())),
            8 => new DeadlinePassed(time, new Deadline((DeadlineKind)reader.ReadInt32(), reader.ReadInt64())),
            9 => new EvaluationArrived(time, reader.ReadInt32(), reader.ReadDouble(), reader.ReadDouble()),
            10 => new OperatorCommand(time, (OperatorAction)reader.ReadInt32(), reader.ReadString()),
            11 => new RunStalled(time),
            12 => ReadGroup(reader, time),
            _ => throw new CoordinatorException($"The log holds an event of kind {kind}, which this build does not know; use the build that wrote it or a newer one."),
        };
    }

    private static void WriteArrival(BinaryWriter writer, UpdateArrived update)
    {
        writer.Write(update.Assignment.Value);
        writer.Write(update.Client.Value);
        writer.WriteReport(update.Report);
        writer.Write(update.Ready);
    }

    private static UpdateArrived ReadArrival(BinaryReader reader, double time) =>
        new(time, new AssignmentId(reader.ReadInt64()), new ClientId(reader.ReadInt32()), reader.ReadReport(), reader.ReadBoolean());

    private static GroupArrived ReadGroup(BinaryReader reader, double time)
    {
        var group = reader.ReadString();
        var members = ImmutableArray.CreateBuilder<UpdateArrived>();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            members.Add(ReadArrival(reader, time));
        }

        return new GroupArrived(time, group, members.ToImmutable());
    }

    private static byte KindOf(RunEvent e) => e switch
    {
        RunStarted => 1,
        ClientJoined => 2,
        CheckIn => 3,
        CheckOut => 4,
        UpdateArrived => 5,
        AssignmentFailed => 6,
        ClientLost => 7,
        DeadlinePassed => 8,
        EvaluationArrived => 9,
        OperatorCommand => 10,
        RunStalled => 11,
        GroupArrived => 12,
        _ => throw new ArgumentException($"No form for {e.GetType().Name}.", nameof(e)),
    };
}
