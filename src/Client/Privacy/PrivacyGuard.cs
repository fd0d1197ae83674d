using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Federated.Client.Store;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;

namespace Federated.Client.Privacy;

/// <summary>Holds a session to the client's own requirements: it is asked before the run is joined, before each training, and charges before each update is finished.</summary>
/// <remarks>
/// A refusal is final for the session: the same run would ask the same again. Numbers are compared with a tolerance of 10⁻⁶, for accountants
/// of other builds.
/// </remarks>
internal sealed class PrivacyGuard(PrivacyRequirements requirements, Func<PrivacyProposal, string?>? veto, string run, IClientStore store)
{
    /// <summary>What an assignment whose plan names no analysis is for.</summary>
    public const string Training = "training";

    private const double Tolerance = StatementClaims.Tolerance;

    private PrivacyStatement? statement;
    private string created = "";
    private LedgerEntry? next;

    public PrivacyRequirements Requirements => requirements;

    /// <summary>Judges what the coordinator says of the run, before the client joins it.</summary>
    /// <returns>Why the client takes no part; null when it may.</returns>
    public string? Judge(RunPrivacyMessage told)
    {
        try
        {
            statement = told.Statement.ToStatement();
        }
        catch (Exception e) when (e is FormatException or PrivacyException or ArgumentException)
        {
            return $"the run's statement cannot be read: {e.Message}";
        }

        created = told.CreatedAt;
        if (requirements.Coordinators.Count > 0 && !requirements.Coordinators.Contains(Coordinator, StringComparer.Ordinal))
        {
            return $"it works for the coordinators {string.Join(", ", requirements.Coordinators)} only, and this one is '{Coordinator}'";
        }

        var trust = TrustOf(statement.Policy, statement.Guarantee?.Trust);
        return trust < requirements.Trust ? $"it asks for {Words(requirements.Trust)}, and the run's policy is {statement.Policy}: {Words(trust)}" : StatementClaims.Contradiction(statement) ?? Cost(statement);
    }

    /// <summary>Judges an assignment against the statement and the client's ledger.</summary>
    /// <returns>Why it is refused; null when it may be worked on.</returns>
    public string? Judge(AssignmentMessage assignment)
    {
        if (statement is null)
        {
            return "the run's statement has not been read";
        }

        var analysis = AnalysisOf(assignment.Training);
        if (requirements.Analyses.Count > 0 && !requirements.Analyses.Contains(analysis, StringComparer.Ordinal))
        {
            return $"its data are for {string.Join(", ", requirements.Analyses)}, and this is '{analysis}'";
        }

        var step = PrivacyStep.Of(assignment.Privacy);
        var refusal = AgainstStatement(step, statement) ?? Pins(step);
        if (refusal is not null)
        {
            return refusal;
        }

        var entry = store.Ledger.Of(Coordinator, run, created);
        next = entry.LastAssignment == assignment.Id ? entry : Charged(entry, assignment.Id, step, statement);
        if (requirements.Trust != RequiredTrust.Anything && IsBeyondCap(next, statement))
        {
            return $"the run's statement covers {statement.Terms.Limits.Cap} updates of one client, and this would be the {next.Participations - next.Refused}th by its own count";
        }

        if (requirements is { MaxEpsilon: 0, LifetimeEpsilon: 0 } && veto is null)
        {
            return null; // Only counted; what it adds up to is computed when somebody asks.
        }

        var epsilon = next.Epsilon();
        next = next with { Known = double.IsFinite(epsilon) ? epsilon : null };
        var before = statement.Inherited?.Epsilon ?? 0;
        if (requirements.MaxEpsilon > 0 && epsilon + before > requirements.MaxEpsilon * Tolerance)
        {
            return $"it would have spent ε = {Figures.Up(epsilon)} at δ = {Figures.Up(next.Delta)} on this run by its own count{(before > 0 ? $", on top of ε = {Figures.Up(before)} that the run inherited" : "")}, and allows {Figures.Up(requirements.MaxEpsilon)}";
        }

        var (total, delta) = store.Ledger.With(next).Total();
        if (requirements.LifetimeEpsilon > 0 && (total > requirements.LifetimeEpsilon * Tolerance || delta > requirements.LifetimeDelta * Tolerance))
        {
            return $"all its runs together would have cost it ε = {Figures.Up(total)} at δ = {Figures.Up(delta)} by its own count, and it allows {Figures.Up(requirements.LifetimeEpsilon)} at {Figures.Up(requirements.LifetimeDelta)}";
        }

        var reason = veto?.Invoke(new PrivacyProposal(run, assignment.Id, analysis, statement)
        {
            Participations = next.Participations,
            Epsilon = epsilon,
            Delta = next.Delta,
            ReportEpsilon = step?.ReportEpsilon ?? 0,
            LifetimeEpsilon = total,
            LifetimeDelta = delta,
        });
        return reason is null ? null : $"vetoed: {reason}";
    }

    /// <summary>Writes down what the assignment costs: durable when this returns, and before anything of the update is.</summary>
    /// <param name="sendsMore">Whether vectors go up beside the delta.</param>
    public void Charge(bool sendsMore)
    {
        if (sendsMore && requirements.Trust != RequiredTrust.Anything)
        {
            throw new ClientException("The run asks for vectors beside the update, which its privacy step does not protect, and this client's privacy policy does not let them leave the device.");
        }

        store.SaveLedger(store.Ledger.With(next ?? throw new InvalidOperationException("An assignment is judged before it is charged.")));
    }

    /// <summary>As <see cref="Charge(bool)"/>, for an update that goes into a sum: only now, with the model here, is all of the sum's noise known.</summary>
    /// <exception cref="ClientException">The sum's noise gives less than the run's statement promises.</exception>
    public void Charge(SecureSumPlan sum)
    {
        if (StatementClaims.Contradiction(statement!, sum) is { } contradiction)
        {
            throw new ClientException($"The client's privacy requirements do not allow it: {contradiction}.");
        }

        Charge(sendsMore: false);
    }

    /// <summary>
    /// What was made of the assignment is about to leave the device: a coordinator that gives the same assignment out again is charged again,
    /// or it could have any number of reports for the price of one.
    /// </summary>
    public void Leaves(long assignment)
    {
        if (store.Ledger.Of(Coordinator, run, created) is var entry && entry.LastAssignment == assignment)
        {
            store.SaveLedger(store.Ledger.With(entry with { LastAssignment = LedgerEntry.None }));
        }
    }

    /// <summary>An update of a run whose coordinator adds the noise, and that says it took none of it, is in no release.</summary>
    public void Refused()
    {
        if (store.Ledger.Of(Coordinator, run, created) is { WholeEpsilon: not null } entry)
        {
            store.SaveLedger(store.Ledger.With(entry with { Refused = entry.Refused + 1 }));
        }
    }

    private string Coordinator => store.Identity?.Coordinator ?? "";

    private string? Cost(PrivacyStatement told)
    {
        if (told.Policy != PrivacyPolicies.None && told.Terms.Delta + (told.Inherited?.Guarantee?.Delta ?? 0) is var delta && delta > requirements.MaxDelta * Tolerance)
        {
            return $"it allows a δ of {Figures.Up(requirements.MaxDelta)} at most, and the run's is {Figures.Up(delta)}{(delta > told.Terms.Delta ? " with what it inherited" : "")}";
        }

        if (requirements.MaxReportEpsilon > 0 && told.Terms.ReportEpsilon > requirements.MaxReportEpsilon * Tolerance)
        {
            return $"it allows reports of ε₀ = {Figures.Up(requirements.MaxReportEpsilon)} at most, and the run's are of {Figures.Up(told.Terms.ReportEpsilon)}";
        }

        if (requirements.MaxEpsilon > 0 && Inheritance(told) is { } refusal)
        {
            return refusal;
        }

        // Where the client randomises itself, it counts itself, and stops when its own limit is reached.
        if (requirements.MaxEpsilon == 0 || told.Terms.ReportEpsilon > 0)
        {
            return null;
        }

        return told.Planned is not { } planned ? $"it allows ε = {Figures.Up(requirements.MaxEpsilon)} at most, and nothing bounds in advance what the run costs"
            : planned.Epsilon + (told.Inherited?.Epsilon ?? 0) is var total && total > requirements.MaxEpsilon * Tolerance
                ? $"it allows ε = {Figures.Up(requirements.MaxEpsilon)} at most, and the run may cost {Figures.Up(total)}{(total > planned.Epsilon ? " with what it inherited" : "")}"
                : null;
    }

    /// <summary>What a branch's first version had cost counts against the client's limit of one run, whether or not the client was there: it cannot know.</summary>
    private string? Inheritance(PrivacyStatement told) => told.Inherited is not { Epsilon: > 0 } inherited ? null
        : !inherited.IsBounded ? $"it allows ε = {Figures.Up(requirements.MaxEpsilon)} at most, and nothing bounds what version {inherited.Version} of '{inherited.Run}', which the run was branched from, had cost"
        : inherited.Epsilon > requirements.MaxEpsilon * Tolerance
            ? $"it allows ε = {Figures.Up(requirements.MaxEpsilon)} at most, and what the run was branched from, version {inherited.Version} of '{inherited.Run}', had cost {Figures.Up(inherited.Epsilon)} before"
            : null;

    /// <summary>What the assignment asks for must be what the statement says.</summary>
    private string? AgainstStatement(PrivacyStep? step, PrivacyStatement told)
    {
        var asked = step?.Kind switch
        {
            null => told.Policy == PrivacyPolicies.Central && told.Terms.ClipAdapts ? RequiredTrust.Central : RequiredTrust.Anything,
            ProtectionMessage.Clip => RequiredTrust.Central,
            ProtectionMessage.Randomize => RequiredTrust.Local,
            PrivacyStep.Shuffled => RequiredTrust.Shuffle,
            ProtectionMessage.SecureSum => RequiredTrust.Distributed,
            _ => RequiredTrust.Anything, // A step that this client does not know: the session gives such work up in any case.
        };
        var stated = TrustOf(told.Policy, told.Guarantee?.Trust);
        if (asked < stated)
        {
            return $"the run's statement says {told.Policy}, and the assignment asks for {(step is null ? "the update as it is" : $"the privacy step '{step.Kind}'")}";
        }

        if (asked < requirements.Trust)
        {
            return $"it asks for {Words(requirements.Trust)}, and the assignment for {(step is null ? "the update as it is" : $"the privacy step '{step.Kind}'")}";
        }

        if (step is null || step.Kind == ProtectionMessage.Clip)
        {
            return null;
        }

        if (step.Kind == ProtectionMessage.SecureSum)
        {
            return step.SumNoise * Tolerance < told.Terms.NoiseMultiplier
                ? $"the run's statement says noise of {Figures.Down(told.Terms.NoiseMultiplier)} times the bound, and the assignment's sum has {Figures.Down(step.SumNoise)}"
                : null;
        }

        return step.ReportEpsilon is not { } own || !(own > 0) ? "the assignment asks for a randomised report and does not say its ε₀"
            : own > told.Terms.ReportEpsilon * Tolerance ? $"the run's statement says ε₀ = {Figures.Up(told.Terms.ReportEpsilon)}, and the assignment asks for a report of {Figures.Up(own)}"
            : requirements.MaxReportEpsilon > 0 && own > requirements.MaxReportEpsilon * Tolerance
                ? $"it allows reports of ε₀ = {Figures.Up(requirements.MaxReportEpsilon)} at most, and the assignment asks for one of {Figures.Up(own)}"
                : null;
    }

    private string? Pins(PrivacyStep? step)
    {
        if (step is not { Kind: PrivacyStep.Shuffled })
        {
            return null;
        }

        if (requirements.Shufflers.Count > 0 && !step.Shufflers.Any(key => IsPinned(requirements.Shufflers, key)))
        {
            return $"it trusts {requirements.Shufflers.Count} keys of shufflers, and the run's are none of them ({string.Join(", ", step.Shufflers.Select(Fingerprint))})";
        }

        return requirements.Analyzers.Count > 0 && !IsPinned(requirements.Analyzers, step.Analyzer)
            ? $"its reports may be sealed to {requirements.Analyzers.Count} keys, and the run's is none of them ({Fingerprint(step.Analyzer)})"
            : null;
    }

    private static LedgerEntry Charged(LedgerEntry entry, long assignment, PrivacyStep? step, PrivacyStatement told)
    {
        var charged = entry with
        {
            Participations = entry.Participations + 1,
            LastAssignment = assignment,
            Known = null,
            Delta = Math.Max(entry.Delta, told.Terms.Delta > 0 ? told.Terms.Delta : told.Planned?.Delta ?? 0),
        };
        switch (step?.Kind)
        {
            case ProtectionMessage.Randomize or PrivacyStep.Shuffled when step.ReportEpsilon is { } epsilon:
                var batch = step.Kind == PrivacyStep.Shuffled ? StatementClaims.Batch(told) : 0;
                var reports = charged.Reports.ToList();
                var at = reports.FindIndex(r => r.ReportEpsilon == epsilon && r.Batch == batch);
                if (at < 0)
                {
                    reports.Add(new ReportCharge(epsilon, batch, 1));
                }
                else
                {
                    reports[at] = reports[at] with { Count = reports[at].Count + 1 };
                }

                return charged with { Reports = reports };
            case ProtectionMessage.SecureSum when told is { Policy: PrivacyPolicies.Distributed, Planned: { } bound } && !IsBeyondCap(charged, told):
                return charged with { WholeEpsilon = Math.Max(charged.WholeEpsilon ?? 0, bound.Epsilon) };
            case ProtectionMessage.Clip or null when told is { Policy: PrivacyPolicies.Central, Planned: { } planned } && !IsBeyondCap(charged, told):
                return charged with { WholeEpsilon = Math.Max(charged.WholeEpsilon ?? 0, planned.Epsilon) };
            default:
                return charged with { Unprotected = charged.Unprotected + 1 };
        }
    }

    /// <summary>Whether more of this client's updates may be in releases than the run's statement covers.</summary>
    private static bool IsBeyondCap(LedgerEntry charged, PrivacyStatement told) =>
        told.Terms.Limits is { Cap: > 0 and var cap, RestartEvery: 0 } && charged.Participations - charged.Refused > cap;

    private static RequiredTrust TrustOf(string policy, TrustModel? trust) => policy switch
    {
        PrivacyPolicies.None => RequiredTrust.Anything,
        PrivacyPolicies.Central => RequiredTrust.Central,
        PrivacyPolicies.Shuffle => RequiredTrust.Shuffle,
        PrivacyPolicies.Local => RequiredTrust.Local,
        PrivacyPolicies.SecureSum => RequiredTrust.Distributed,
        _ => trust switch
        {
            TrustModel.Central => RequiredTrust.Central,
            TrustModel.Distributed => RequiredTrust.Distributed,
            TrustModel.Shuffle => RequiredTrust.Shuffle,
            TrustModel.Local => RequiredTrust.Local,
            TrustModel.Silo => RequiredTrust.Anything, // Whose silo that would be, a device cannot know.
            _ => RequiredTrust.Anything,
        },
    };

    private static string Words(RequiredTrust trust) => trust switch
    {
        RequiredTrust.Local => "a run that trusts nobody with its data",
        RequiredTrust.Shuffle => "a run that trusts a shuffler at most",
        RequiredTrust.Distributed => "a run whose coordinator sees sums only",
        RequiredTrust.Central => "a run whose coordinator adds noise at least",
        _ => "nothing is guaranteed",
    };

    private static string AnalysisOf(JsonElement plan) =>
        plan.ValueKind == JsonValueKind.Object && plan.TryGetProperty("analysis", out var analysis) && analysis.ValueKind == JsonValueKind.Object
        && analysis.TryGetProperty("kind", out var kind) && kind.GetString() is { Length: > 0 } name ? name : Training;

    private static bool IsPinned(IReadOnlyList<string> pins, string key) => pins.Any(pin => pin == key || string.Equals(pin, Fingerprint(key), StringComparison.OrdinalIgnoreCase));

    /// <summary>The key's SHA-256, as pins may say it.</summary>
    private static string Fingerprint(string key)
    {
        try
        {
            return $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Base64Url.DecodeFromChars(key)))}";
        }
        catch (FormatException)
        {
            return $"'{key}', which is no key";
        }
    }
}
