using Federated.Coordinator.Hosting;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Serialization;

/// <summary>Facts of a run as they travel between silos. They are there to be seen, and nothing rests on them: a kind that is not known is passed over.</summary>
internal static class FactForm
{
    private const byte Group = 1, Update = 2, Version = 3;

    public static byte[]? Write(IReadOnlyList<RunFact> facts)
    {
        if (facts.Count == 0)
        {
            return null;
        }

        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        foreach (var fact in facts)
        {
            Write(writer, fact);
        }

        writer.Flush();
        return bytes.ToArray();
    }

    public static IReadOnlyList<RunFact> Read(byte[]? form)
    {
        if (form is null)
        {
            return [];
        }

        using var reader = new BinaryReader(new MemoryStream(form, writable: false));
        List<RunFact> facts = [];
        while (reader.BaseStream.Position < form.Length)
        {
            var (kind, length) = (reader.ReadByte(), reader.ReadInt32());
            var next = reader.BaseStream.Position + length;
            if (ReadOne(kind, reader) is { } fact)
            {
                facts.Add(fact);
            }

            reader.BaseStream.Position = next;
        }

        return facts;
    }

    private static void Write(BinaryWriter writer, RunFact fact)
    {
        using var bytes = new MemoryStream();
        using var body = new BinaryWriter(bytes);
        byte kind;
        switch (fact)
        {
            case GroupChanged { Group: var g }:
                kind = Group;
                body.Write(g.Number);
                body.Write(g.Opened);
                body.Write(g.Expected);
                body.Write(g.Latest);
                body.Write(g.Closed);
                body.Write(g.Arrived);
                body.Write(g.Version);
                body.Write(g.Members.Count);
                foreach (var member in g.Members)
                {
                    body.Write(member.Value);
                }

                break;
            case UpdateMeasured u:
                kind = Update;
                body.Write(u.Assignment.Value);
                body.Write(u.Norm);
                break;
            case VersionMeasured v:
                kind = Version;
                body.Write(v.Version);
                body.Write(v.WeightSum);
                body.Write(v.StepNorm);
                body.Write(v.Agreement);
                body.Write(v.LeftOut.Count);
                foreach (var (client, reason) in v.LeftOut)
                {
                    body.Write(client);
                    body.Write(reason);
                }

                break;
            default:
                return;
        }

        body.Flush();
        writer.Write(kind);
        writer.Write((int)bytes.Length);
        writer.Write(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static RunFact? ReadOne(byte kind, BinaryReader reader)
    {
        switch (kind)
        {
            case Group:
                var (number, opened, expected, latest, closed) = (reader.ReadInt64(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
                var (arrived, version, members) = (reader.ReadInt32(), reader.ReadInt32(), new ClientId[reader.ReadInt32()]);
                for (var i = 0; i < members.Length; i++)
                {
                    members[i] = new ClientId(reader.ReadInt32());
                }

                return new GroupChanged(new GroupFact(number, opened, expected, latest, closed, members, arrived, version));
            case Update:
                return new UpdateMeasured(new AssignmentId(reader.ReadInt64()), reader.ReadDouble());
            case Version:
                var (of, weights, step, agreement, leftOut) = (reader.ReadInt32(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), new (int, string)[reader.ReadInt32()]);
                for (var i = 0; i < leftOut.Length; i++)
                {
                    leftOut[i] = (reader.ReadInt32(), reader.ReadString());
                }

                return new VersionMeasured(of, weights, step, agreement, leftOut);
            default:
                return null;
        }
    }
}
