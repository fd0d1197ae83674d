using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>Which client of the registry has which number in this run.</summary>
/// <remarks>Changed by the run's loop, read from any thread without a lock.</remarks>
internal sealed class Members : IRunSection
{
    private const int Form = 1;

    private readonly ConcurrentDictionary<string, ClientId> numbers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, string> names = [];

    public string Name => "members";

    public ClientId? Find(string member) => numbers.TryGetValue(member, out var client) ? client : null;

    public bool TryGetName(ClientId client, [NotNullWhen(true)] out string? name) => names.TryGetValue(client.Value, out name);

    public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
    {
        if (logged.Event is ClientJoined joined && logged.Member.Length > 0)
        {
            Add(logged.Member, joined.Client);
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Form);
        writer.Write(names.Count);
        foreach (var (number, name) in names.OrderBy(pair => pair.Key))
        {
            writer.Write(number);
            writer.Write(name);
        }
    }

    public void Load(BinaryReader reader)
    {
        if (reader.ReadInt32() is var form && form != Form)
        {
            throw new CoordinatorException($"The run's list of members is of form {form}, which this build does not know; use the build that wrote it.");
        }

        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            var number = reader.ReadInt32();
            Add(reader.ReadString(), new ClientId(number));
        }
    }

    private void Add(string name, ClientId client)
    {
        names[client.Value] = name;
        numbers[name] = client;
    }
}
