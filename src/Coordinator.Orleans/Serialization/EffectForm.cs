using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Serialization;

/// <summary>How effects stand in a message between silos: a kind byte and their fields in order. Kinds are never renumbered.</summary>
internal static class EffectForm
{
    public static byte[] Write(IReadOnlyList<RunEffect> effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (effects.Count == 0)
        {
            return [];
        }

        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(effects.Count);
        foreach (var effect in effects)
        {
            Write(writer, effect);
        }

        writer.Flush();
        return bytes.ToArray();
    }

    public static IReadOnlyList<RunEffect> Read(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (bytes.Length == 0)
        {
            return [];
        }

        using var reader = new BinaryReader(new MemoryStream(bytes, writable: false));
        var effects = new RunEffect[reader.ReadInt32()];
        for (var i = 0; i < effects.Length; i++)
        {
            effects[i] = Read(reader);
        }

        return effects;
    }

    private static void Write(BinaryWriter writer, RunEffect effect)
    {
        switch (effect)
        {
            case Dispatch e:
                writer.Write((byte)1);
                writer.WriteAssignment(e.Assignment);
                break;
            case Wait e:
                writer.Write((byte)2);
                writer.Write(e.Client.Value);
                WriteReason(writer, e.Reason);
                break;
            case Accepted e:
                writer.Write((byte)3);
                writer.WriteAssignment(e.Assignment);
                writer.Write(e.Staleness);
                break;
            case Rejected e:
                writer.Write((byte)4);
                writer.Write(e.Id.Value);
                writer.Write(e.Client.Value);
                writer.Write(e.Assignment is not null);
                if (e.Assignment is not null)
                {
                    writer.WriteAssignment(e.Assignment);
                }

                writer.Write((int)e.Reason);
                writer.Write(e.Detail);
                break;
            case Lost e:
                writer.Write((byte)5);
                writer.WriteAssignment(e.Assignment);
                writer.Write((int)e.Reason);
                writer.Write(e.Detail);
                break;
            case Cancel e:
                writer.Write((byte)6);
                writer.WriteAssignment(e.Assignment);
                writer.Write(e.Reason);
                break;
            case ArmDeadline e:
                writer.Write((byte)7);
                writer.Write((int)e.Deadline.Kind);
                writer.Write(e.Deadline.Number);
                writer.Write(e.Time);
                break;
            case Accumulate e:
                writer.Write((byte)8);
                writer.WriteAssignment(e.Assignment);
                writer.WriteReport(e.Report);
                writer.Write(e.Weight);
                writer.Write(e.Staleness);
                writer.Write((int)e.Basis);
                break;
            case Publish e:
                writer.Write((byte)9);
                writer.Write(e.Version);
                writer.Write(e.Count);
                break;
            case RequestEvaluation e:
                writer.Write((byte)10);
                writer.Write(e.Version);
                break;
            case Finish e:
                writer.Write((byte)11);
                writer.Write((int)e.Reason);
                writer.Write(e.Detail);
                break;
            case StatusChanged e:
                writer.Write((byte)12);
                writer.Write((int)e.Status);
                break;
            case GroupSettled e:
                writer.Write((byte)13);
                writer.Write(e.Group);
                writer.WriteOutcomes(e.Members);
                writer.Write(e.Again);
                break;
            default:
                throw new ArgumentException($"No form for the effect {effect.GetType().Name}.", nameof(effect));
        }
    }

    private static RunEffect Read(BinaryReader reader) => reader.ReadByte() switch
    {
        1 => new Dispatch(reader.ReadAssignment()),
        2 => new Wait(new ClientId(reader.ReadInt32()), ReadReason(reader)),
        3 => new Accepted(reader.ReadAssignment(), reader.ReadInt32()),
        4 => new Rejected(
            new AssignmentId(reader.ReadInt64()), new ClientId(reader.ReadInt32()), reader.ReadBoolean() ? reader.ReadAssignment() : null,
            (Rejection)reader.ReadInt32(), reader.ReadString()),
        5 => new Lost(reader.ReadAssignment(), (LossReason)reader.ReadInt32(), reader.ReadString()),
        6 => new Cancel(reader.ReadAssignment(), reader.ReadString()),
        7 => new ArmDeadline(new Deadline((DeadlineKind)reader.ReadInt32(), reader.ReadInt64()), reader.ReadDouble()),
        8 => new Accumulate(reader.ReadAssignment(), reader.ReadReport(), reader.ReadDouble(), reader.ReadInt32(), (DeltaBasis)reader.ReadInt32()),
        9 => new Publish(reader.ReadInt32(), reader.ReadInt32()),
        10 => new RequestEvaluation(reader.ReadInt32()),
        11 => new Finish((FinishReason)reader.ReadInt32(), reader.ReadString()),
        12 => new StatusChanged((RunStatus)reader.ReadInt32()),
        13 => new GroupSettled(reader.ReadString(), reader.ReadOutcomes(), reader.ReadBoolean()),
        var kind => throw new CoordinatorException($"A silo sent an effect of kind {kind}, which this build does not know; upgrade all silos to one build."),
    };

    internal static void WriteReason(BinaryWriter writer, WaitReason reason)
    {
        writer.Write((int)reason.Kind);
        writer.Write(reason.Have);
        writer.Write(reason.Need);
        writer.Write(reason.Until);
    }

    internal static WaitReason ReadReason(BinaryReader reader) =>
        new((WaitKind)reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadDouble());
}
