using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// Assignments of a shuffled run that were given up: by the client, or with a batch that was too small. What was sent for one is used nowhere, and
/// its client, which the shuffler told no more than that it holds the report, learns that here: after a crash too.
/// </summary>
/// <remarks>The newest <see cref="Most"/> are kept, 12 B each in a snapshot: clients ask at once. Changed and read by the run's loop alone.</remarks>
internal sealed class DroppedReports : IRunSection
{
    public const int Most = 1 << 14;

    private const int Form = 1;

    private readonly Dictionary<long, ClientId> owners = [];
    private readonly Queue<long> inOrder = new();

    public string Name => "dropped";

    /// <returns>Whose it was; null when it is not among them.</returns>
    public ClientId? OwnerOf(AssignmentId assignment) => owners.TryGetValue(assignment.Value, out var owner) ? owner : null;

    public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
    {
        foreach (var lost in effects.OfType<Lost>())
        {
            if (lost.Reason == LossReason.ClientFailed)
            {
                Add(lost.Assignment.Id.Value, lost.Assignment.Client);
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Form);
        writer.Write(inOrder.Count);
        foreach (var assignment in inOrder)
        {
            writer.Write(assignment);
            writer.Write(owners[assignment].Value);
        }
    }

    public void Load(BinaryReader reader)
    {
        if (reader.ReadInt32() is var form && form != Form)
        {
            throw new CoordinatorException($"This build reads dropped reports of form {Form}; these have form {form}. Use the build that wrote them.");
        }

        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            Add(reader.ReadInt64(), new ClientId(reader.ReadInt32()));
        }
    }

    private void Add(long assignment, ClientId owner)
    {
        if (owners.TryAdd(assignment, owner))
        {
            inOrder.Enqueue(assignment);
            if (inOrder.Count > Most)
            {
                owners.Remove(inOrder.Dequeue());
            }
        }
    }
}
