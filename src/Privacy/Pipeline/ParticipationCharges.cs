using Federated.Privacy.Accounting;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// Charges every participation of a client at the same cost, up to a cap and a budget: the ledger of the policies that claim no sampling.
/// </summary>
/// <remarks>With one kind of event a client's cost depends only on how often it took part, so a budget is a number of participations.</remarks>
internal sealed class ParticipationCharges
{
    private readonly MechanismEvent release;
    private readonly ParticipationAccountantOptions options;
    private readonly Dictionary<int, (int Count, int LastStep)> lastSteps = [];
    private readonly string limit;
    private readonly bool oncePerRelease;
    private ParticipationAccountant<int> ledger;

    /// <param name="release">One participation.</param>
    /// <param name="cap">Participations at most; 0 for no cap.</param>
    /// <param name="budget">ε at most; 0 for no budget.</param>
    /// <param name="delta">δ.</param>
    /// <param name="oncePerRelease">
    /// Whether two updates of a client in one release cost more than two releases with one each: twice the sensitivity, against √2 times the loss.
    /// </param>
    public ParticipationCharges(MechanismEvent release, int cap, double budget, double delta, bool oncePerRelease)
    {
        (this.release, this.oncePerRelease) = (release, oncePerRelease);
        IPrivacyAccountant accountant = release switch
        {
            GaussianEvent => new AnalyticGaussianAccountant(),
            DistributedDiscreteGaussianEvent => new RdpAccountant(), // No loss distribution of its vectors is known.
            _ => new PldAccountant(),
        };
        limit = "all that the policy's cap allows";
        if (budget > 0)
        {
            var affordable = (int)Calibration.Steps(accountant, release, budget, delta, cap > 0 ? cap : 1_000_000);
            if (affordable == 0)
            {
                throw new PrivacyException(
                    $"One participation costs ε = {accountant.Epsilon(release, delta):G6} at δ = {delta}, more than the whole budget of {budget}: add noise, or raise it.");
            }

            if (cap == 0 || affordable < cap)
            {
                (cap, limit) = (affordable, $"all that the budget of ε = {budget} at δ = {delta} allows");
            }
        }

        options = new ParticipationAccountantOptions
        {
            Delta = delta, ParticipationCap = cap, Accountant = release is DistributedDiscreteGaussianEvent ? Accountants.Rdp : "",
        };
        ledger = new ParticipationAccountant<int>(options);
    }

    /// <summary>Participations that any client may have; 0 for no limit.</summary>
    public int Cap => options.ParticipationCap;

    public ParticipationLimits Limits => new()
    {
        Cap = Cap,
        Separation = oncePerRelease ? 1 : 0,
        CountsAssignments = release.Trust != TrustModel.Central,
        Because = Cap > 0 ? limit : "",
    };

    public PrivacyGuarantee? Planned => Cap > 0 ? ledger.GuaranteeAtCap(release) : null;

    public PrivacyGuarantee? Spent => ledger.ActiveClients > 0 ? ledger.Guarantee() : null;

    public IReadOnlyDictionary<int, (int Count, int LastStep)> Participations => lastSteps;

    public PrivacyGuarantee? SpentBy(int client) => ledger.Participations(client) > 0 ? ledger.ClientGuarantee(client) : null;

    public (int Count, int LastStep)? ChargeOf(int client) => lastSteps.TryGetValue(client, out var record) ? record : null;

    public string? RefusalFor(int client) => Cap > 0 && ledger.Participations(client) >= Cap
        ? $"client {client} has taken part {ledger.Participations(client)} times, {limit}"
        : null;

    public string? Charge(int client, int step)
    {
        if (RefusalFor(client) is { } refusal)
        {
            return refusal;
        }

        if (oncePerRelease && lastSteps.TryGetValue(client, out var last) && last.LastStep == step)
        {
            return $"client {client} is in this release already, and one update of each client is what a release is accounted for";
        }

        return Count(client, step);
    }

    /// <summary>Charges what the server has seen, whatever cap and budget say: it cannot be unseen.</summary>
    public void ChargeSeen(int client, int step)
    {
        ledger.Restore([new ParticipationEntry<int>(client, release, 1)]);
        lastSteps[client] = (ledger.Participations(client), step);
    }

    public void Restore(IReadOnlyDictionary<int, (int Count, int LastStep)> participations)
    {
        ledger = new ParticipationAccountant<int>(options);
        ledger.Restore(participations.Select(p => new ParticipationEntry<int>(p.Key, release, p.Value.Count)));
        lastSteps.Clear();
        foreach (var (client, record) in participations)
        {
            lastSteps.Add(client, record);
        }
    }

    private string? Count(int client, int step)
    {
        var outcome = ledger.TryCharge(client, release);
        if (!outcome.Charged)
        {
            return outcome.Reason;
        }

        lastSteps[client] = (ledger.Participations(client), step);
        return null;
    }
}
