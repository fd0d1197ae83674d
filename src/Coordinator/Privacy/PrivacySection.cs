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
    private volatile PrivacyGuarantee? spent;

    public string Name => "privacy";

    public bool HoldsSecret => true;

    public PrivacyGuarantee? Spent => spent;

    public PrivacyGuarantee? Planned { get; } = privacy.Policy.Planned;

    /// <summary>Charges reports that were received and will be in no release: what was seen cannot be unseen.</summary>
    public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (spent is null || effects.Any(effect => effect is Publish))
        {
            spent = privacy.Policy.Spent; // Once a version: composing may take a tenth of a second.
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

    public void Save(BinaryWriter writer) => privacy.Save(writer);

    public void Load(BinaryReader reader) => privacy.Load(reader);
}
