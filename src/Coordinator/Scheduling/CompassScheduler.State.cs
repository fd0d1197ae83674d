using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <content>Snapshot of groups, speeds and parked updates.</content>
public sealed partial class CompassScheduler
{
    public void Save(BinaryWriter writer)
    {
        writer.Write(nextGroup);
        writer.Write(secondsPerStep.Count);
        foreach (var (client, speed) in secondsPerStep.OrderBy(pair => pair.Key))
        {
            writer.Write(client.Value);
            writer.Write(speed);
        }

        writer.Write(groups.Count);
        foreach (var group in groups.Values)
        {
            writer.Write(group.Number);
            writer.Write(group.Expected);
            writer.Write(group.Latest);
            WriteClients(writer, group.Out);
            WriteClients(writer, group.Arrived);
            WriteUpdates(writer, group.Updates);
        }

        WriteUpdates(writer, late);
    }

    public void Load(BinaryReader reader)
    {
        nextGroup = reader.ReadInt64();
        secondsPerStep.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            secondsPerStep.Add(new ClientId(reader.ReadInt32()), reader.ReadDouble());
        }

        groups.Clear();
        groupOf.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            var group = new CompassGroup(reader.ReadInt64()) { Expected = reader.ReadDouble(), Latest = reader.ReadDouble() };
            ReadClients(reader, group.Out);
            ReadClients(reader, group.Arrived);
            ReadUpdates(reader, group.Updates);
            groups.Add(group.Number, group);
            foreach (var client in group.Members)
            {
                groupOf.Add(client, group.Number);
            }
        }

        late.Clear();
        ReadUpdates(reader, late);
    }

    private static void WriteClients(BinaryWriter writer, SortedSet<ClientId> clients)
    {
        writer.Write(clients.Count);
        foreach (var client in clients)
        {
            writer.Write(client.Value);
        }
    }

    private static void ReadClients(BinaryReader reader, SortedSet<ClientId> clients)
    {
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            clients.Add(new ClientId(reader.ReadInt32()));
        }
    }

    private static void WriteUpdates(BinaryWriter writer, List<ArrivedUpdate> updates)
    {
        writer.Write(updates.Count);
        foreach (var update in updates)
        {
            writer.WriteUpdate(update);
        }
    }

    private static void ReadUpdates(BinaryReader reader, List<ArrivedUpdate> updates)
    {
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            updates.Add(reader.ReadUpdate());
        }
    }
}
