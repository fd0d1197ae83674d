using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// The privacy of one run, as its host drives it: clients protect their updates, the server admits them, charges them, and releases their
/// sum with the noise that is due. A step that would exceed the budget is refused before it is taken.
/// </summary>
/// <remarks>
/// The order of calls, per update: <see cref="RefusalFor"/> before a client is given work; on the client <see cref="IClientProtection{T}.Protect"/>;
/// on the server <see cref="Admit"/> (which charges, and stays charged if the update is then lost); per release: <see cref="RefusalToRelease"/>,
/// then, after the updates have been added up, <see cref="Release"/>. Mutable; one owner. The whole state is in <see cref="Save"/>.
/// </remarks>
public abstract class PrivacyPolicy<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>As in <see cref="PrivacyPolicies"/>.</summary>
    public abstract string Kind { get; }

    /// <summary>
    /// True when the server must add the admitted updates with weight 1 and hand the plain sum to <see cref="Release"/>: their weights have
    /// been applied, and the divisor is the policy's public one. False when the run's own weights and mean stay in force.
    /// </summary>
    public abstract bool TakesPlainSum { get; }

    /// <summary>The most that the run can cost any client, known before it starts; null when nothing bounds it, or nothing is guaranteed.</summary>
    public abstract PrivacyGuarantee? Planned { get; }

    /// <summary>What the run has cost so far; null when nothing is guaranteed, or nothing has been spent.</summary>
    public abstract PrivacyGuarantee? Spent { get; }

    /// <summary>What the policy does, in numbers: for statements.</summary>
    public abstract PolicyTerms Terms { get; }

    /// <summary>Bytes of one protected update on the wire; 0 when it is as large as it was.</summary>
    public abstract long ReportBytes { get; }

    /// <summary>What the policy allows in advance; a host that keeps to it is never refused by <see cref="Admit"/> or <see cref="RefusalToRelease"/>.</summary>
    public abstract ParticipationLimits Limits { get; }

    /// <summary>How sums are formed that nobody can look into; null under a policy that needs none.</summary>
    public virtual SecureSumPlan? SecureSum => null;

    /// <summary>False when the policy promises no ε: then none is shown, least of all 0.</summary>
    public virtual bool Guarantees => true;

    /// <summary>
    /// True when an assignment costs a participation whatever becomes of it: its update may have been in a sum that was opened just before a crash.
    /// </summary>
    public virtual bool ChargesAssignments => false;

    /// <summary>The client's side; not thread-safe, one a worker.</summary>
    public abstract IClientProtection<T> CreateClient();

    /// <summary>Why the client must not be given work now; null when it may.</summary>
    public abstract string? RefusalFor(int client);

    /// <summary>Charges a client for an update and makes the update fit for the sum, in place; or says why it is refused (nothing is charged then).</summary>
    /// <param name="client">The client's id.</param>
    /// <param name="delta">d coordinates, as they came.</param>
    /// <param name="weight">The update's weight, which must lie in [0, 1] where <see cref="TakesPlainSum"/>.</param>
    /// <returns>Null when admitted.</returns>
    public abstract string? Admit(int client, Span<T> delta, double weight);

    /// <summary>How often, and at which release last, a client was charged; null when never. Under a sampling claim clients are not charged one by one.</summary>
    public virtual (int Count, int LastStep)? ChargeOf(int client) => null;

    /// <summary>How often, and at which release last, each client was charged; empty where clients are not charged one by one. Live: it changes with the ledger.</summary>
    public virtual IReadOnlyDictionary<int, (int Count, int LastStep)> Charges => ImmutableDictionary<int, (int, int)>.Empty;

    /// <summary>What the run has cost one client so far; null when nothing. Under a sampling claim, and under correlated noise, what it has cost all alike.</summary>
    public virtual PrivacyGuarantee? SpentBy(int client) => Spent;

    /// <summary>
    /// The server has received a client's update that no release will hold (late, stale, of a closed round): charged where seeing it is what costs.
    /// </summary>
    public virtual void Witness(int client)
    {
    }

    /// <summary>Why the next release must not be made; null when it may. A refusal for the budget is final: the run is over.</summary>
    /// <param name="updates">Admitted updates in it.</param>
    public abstract string? RefusalToRelease(int updates);

    /// <summary>Turns what the updates were combined to into what may be published, in place, and charges the release.</summary>
    /// <param name="combined">d coordinates: the plain sum where <see cref="TakesPlainSum"/>, else the run's mean.</param>
    /// <param name="updates">Admitted updates in it.</param>
    public abstract void Release(Span<T> combined, int updates);

    /// <summary>Everything that a restart needs so that no budget is refunded and no noise redrawn.</summary>
    public abstract PolicyState<T> Save();

    /// <summary>Continues from a saved state.</summary>
    public abstract void Restore(PolicyState<T> state);

    /// <summary>Adds what must be said of a guarantee when the randomness was a simulation's.</summary>
    private protected static PrivacyGuarantee? Qualify(PrivacyGuarantee? guarantee, IRandomSource random) => guarantee is null || random.IsCryptographic
        ? guarantee
        : guarantee with
        {
            Assumptions =
            [
                .. guarantee.Assumptions,
                $"This run drew its noise from a {random.Description}: the number is what the same run would guarantee with cryptographic randomness.",
            ],
        };
}

/// <summary>What a client does to its update before it leaves the device.</summary>
public interface IClientProtection<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Clips, and randomises where the policy says so, in place.</summary>
    /// <param name="delta">d coordinates.</param>
    /// <param name="random">The client's own source.</param>
    /// <returns>What clipping found: private, it stays on the device.</returns>
    ClipReport Protect(Span<T> delta, IRandomSource random);
}

/// <summary>The state of a policy.</summary>
/// <param name="Releases">Releases made.</param>
/// <param name="ClipNorm">The clipping bound in force; 0 when the policy has none of its own.</param>
/// <param name="Participations">How often, and at which release last, each client was charged.</param>
/// <param name="Noise">Vectors that later noise depends on, d coordinates each.</param>
public sealed record PolicyState<T>(
    int Releases, double ClipNorm, IReadOnlyDictionary<int, (int Count, int LastStep)> Participations, IReadOnlyList<ReadOnlyMemory<T>> Noise);
