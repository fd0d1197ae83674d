using System.Collections.Immutable;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <summary>How assignments, reports and blob references stand in a snapshot; schedulers use it for what they hold.</summary>
public static class SnapshotForm
{
    public static void WriteAssignment(this BinaryWriter writer, Assignment assignment)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(assignment);
        writer.Write(assignment.Id.Value);
        writer.Write(assignment.Client.Value);
        writer.Write(assignment.BaseVersion);
        writer.Write(assignment.Work.Steps);
        writer.Write(assignment.Work.Epochs);
        writer.Write(assignment.DispatchedAt);
        writer.Write(assignment.Deadline);
    }

    public static Assignment ReadAssignment(this BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return new Assignment(
            new AssignmentId(reader.ReadInt64()),
            new ClientId(reader.ReadInt32()),
            reader.ReadInt32(),
            ReadWork(reader),
            reader.ReadDouble(),
            reader.ReadDouble());
    }

    public static void WriteReport(this BinaryWriter writer, UpdateReport report)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(report);
        writer.Write(report.Examples);
        writer.Write(report.LocalSteps);
        writer.Write(report.TrainingLoss);
        writer.Write(report.StepWeight);
        writer.Write(report.IsFinite);
        writer.Write(report.BytesUp);
        writer.Write(report.BytesDown);
        writer.Write(report.Seconds.Download);
        writer.Write(report.Seconds.Train);
        writer.Write(report.Seconds.Upload);
        WriteBlob(writer, report.Delta);
        writer.Write(report.Extras.Count);
        foreach (var (name, blob) in report.Extras.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.Write(name);
            WriteBlob(writer, blob);
        }
    }

    public static UpdateReport ReadReport(this BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var report = new UpdateReport
        {
            Examples = reader.ReadDouble(),
            LocalSteps = reader.ReadInt32(),
            TrainingLoss = reader.ReadDouble(),
            StepWeight = reader.ReadDouble(),
            IsFinite = reader.ReadBoolean(),
            BytesUp = reader.ReadInt64(),
            BytesDown = reader.ReadInt64(),
            Seconds = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble()),
            Delta = ReadBlob(reader),
        };
        var count = reader.ReadInt32();
        if (count == 0)
        {
            return report;
        }

        var extras = ImmutableDictionary.CreateBuilder<string, BlobReference>(StringComparer.Ordinal);
        for (; count > 0; count--)
        {
            extras.Add(reader.ReadString(), ReadBlob(reader)!);
        }

        return report with { Extras = extras.ToImmutable() };
    }

    public static void WriteUpdate(this BinaryWriter writer, in ArrivedUpdate update)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteAssignment(update.Assignment);
        writer.WriteReport(update.Report);
        writer.Write(update.Staleness);
        writer.Write(update.Ready);
    }

    public static ArrivedUpdate ReadUpdate(this BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return new ArrivedUpdate(reader.ReadAssignment(), reader.ReadReport(), reader.ReadInt32(), reader.ReadBoolean());
    }

    /// <summary>A byte for each outcome: 0 for accepted, else the reason and one.</summary>
    public static void WriteOutcomes(this BinaryWriter writer, ImmutableArray<MemberOutcome> outcomes)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(outcomes.Length);
        foreach (var (assignment, refused) in outcomes)
        {
            writer.Write(assignment.Value);
            writer.Write((byte)(refused is { } reason ? (int)reason + 1 : 0));
        }
    }

    public static ImmutableArray<MemberOutcome> ReadOutcomes(this BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var outcomes = ImmutableArray.CreateBuilder<MemberOutcome>();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            var assignment = new AssignmentId(reader.ReadInt64());
            outcomes.Add(new MemberOutcome(assignment, reader.ReadByte() is var code and > 0 ? (Rejection)(code - 1) : null));
        }

        return outcomes.ToImmutable();
    }

    private static LocalWork ReadWork(BinaryReader reader)
    {
        var (steps, epochs) = (reader.ReadInt32(), reader.ReadDouble());
        return steps > 0 ? LocalWork.OfSteps(steps) : epochs > 0 ? LocalWork.OfEpochs(epochs) : LocalWork.ClientsChoice;
    }

    public static void WriteBlob(this BinaryWriter writer, BlobReference? blob)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(blob?.Sha256 ?? "");
        writer.Write(blob?.Length ?? 0);
    }

    public static BlobReference? ReadBlob(this BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var (sha256, length) = (reader.ReadString(), reader.ReadInt64());
        return sha256.Length == 0 ? null : new BlobReference(sha256, length);
    }
}
