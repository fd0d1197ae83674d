using System.Collections.Immutable;
using System.Numerics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Privacy;

namespace Federated.Coordinator.Privacy;

/// <summary>
/// A run's privacy in its durable state: the ledger and the key of the noise, from the moment at which the run is created. A crash refunds
/// nothing, and what it makes the host repeat is the same release.
/// </summary>
/// <remarks>
/// The factory of a run gives the same <see cref="PrivateRelease{T}"/> to this section and to every model state that it makes. Noise that later
/// noise depends on is among the model state's vectors.
/// </remarks>
public sealed class PrivacySection<T>(PrivateRelease<T> privacy) : IRunSection, IPrivacyLedger
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Points of the course that are kept: beyond, every second one is dropped.</summary>
    private const int MostPoints = 4096;

    private volatile PrivacyGuarantee? spent;
    private volatile ImmutableList<SpentAt> course = [];

    public string Name => "privacy";

    public bool HoldsSecret => true;

    public PrivacyGuarantee? Spent => spent;

    public PrivacyGuarantee? Planned { get; } = privacy.Policy.Planned;

    public IReadOnlyList<SpentAt> Course => course;

    public int ClientsCharged => privacy.Policy.Charges.Count;

    public IReadOnlyList<ClientSpending> Nearest(int count)
    {
        // The smallest of those kept so far is the first to go; of equals, the one with the larger number.
        var most = new PriorityQueue<int, (int Count, int Client)>();
        foreach (var (client, (times, _)) in privacy.Policy.Charges)
        {
            most.Enqueue(client, (times, -client));
            if (most.Count > count)
            {
                most.Dequeue();
            }
        }

        return
        [
            .. most.UnorderedItems.OrderByDescending(item => item.Priority)
                .Select(item => new ClientSpending(item.Element, item.Priority.Count, privacy.Policy.SpentBy(item.Element)?.Epsilon ?? 0)),
        ];
    }

    public PrivacyGuarantee? SpentBy(int client) => privacy.Policy.SpentBy(client);

    /// <summary>Charges reports that were received and will be in no release: what was seen cannot be unseen.</summary>
    public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        var published = effects.OfType<Publish>().LastOrDefault();
        if (spent is null || published is not null)
        {
            spent = privacy.Policy.Spent; // Once a version: composing may take a tenth of a second.
        }

        if (published is not null && privacy.Policy.Guarantees)
        {
            course = Thin(course.Add(new SpentAt(published.Version, spent?.Epsilon ?? 0)));
        }

        if (privacy.Policy.ChargesAssignments)
        {
            foreach (var effect in effects)
            {
                var ended = effect switch
                {
                    Lost lost => lost.Assignment,
                    Rejected rejected => rejected.Assignment,
                    _ => null,
                };
                if (ended is not null)
                {
                    privacy.Witness(ended.Client.Value);
                }
            }

            return;
        }

        if (logged.Event is not (UpdateArrived or GroupArrived))
        {
            return;
        }

        foreach (var effect in effects)
        {
            if (effect is Rejected { Reason: not (Rejection.Duplicate or Rejection.Unknown or Rejection.NotYours) } rejected
                && logged.ArrivalOf(rejected.Id) is { } arrived)
            {
                privacy.Witness(arrived.Client.Value);
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        privacy.Save(writer);
        writer.Write(course.Count);
        foreach (var (version, epsilon) in course)
        {
            writer.Write(version);
            writer.Write(epsilon);
        }
    }

    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        privacy.Load(reader);
        var loaded = ImmutableList.CreateBuilder<SpentAt>();
        if (reader.BaseStream.Position < reader.BaseStream.Length) // Older builds wrote no course.
        {
            for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
            {
                loaded.Add(new SpentAt(reader.ReadInt32(), reader.ReadDouble()));
            }
        }

        course = loaded.ToImmutable();
    }

    /// <summary>A run that is over has no further event to be told its ledger by.</summary>
    public void Restored() => spent = privacy.Policy.Spent;

    private static ImmutableList<SpentAt> Thin(ImmutableList<SpentAt> points) =>
        points.Count <= MostPoints ? points : [.. points.Where((_, i) => i % 2 == 1 || i == points.Count - 1)];
}
