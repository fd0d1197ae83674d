using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;

namespace Federated.Client.Privacy;

/// <summary>What a run's statement promises, against what its own numbers give: a client computes that itself.</summary>
internal static class StatementClaims
{
    /// <summary>Numbers are compared with it, for accountants of other builds.</summary>
    public const double Tolerance = 1 + 1e-6;

    /// <summary>A statement must not promise more than its own numbers give.</summary>
    public static string? Contradiction(PrivacyStatement told)
    {
        var terms = told.Terms;
        if (told.Planned is not { } planned)
        {
            return null;
        }

        if (!(terms.Delta > 0))
        {
            return $"the run's statement promises ε = {Figures.Up(planned.Epsilon)} and names no δ at which that could be checked";
        }

        if (planned.Delta > terms.Delta * Tolerance)
        {
            return $"the run's statement contradicts itself: its policy has δ = {Figures.Up(terms.Delta)}, and its guarantee {Figures.Up(planned.Delta)}";
        }

        var computed = told.Policy switch
        {
            PrivacyPolicies.Central when terms.NoiseMultiplier > 0 && terms.Mechanism == CentralMechanisms.DpFtrl => AnalyticGaussian.Epsilon(terms.NoiseMultiplier, planned.Delta),
            PrivacyPolicies.Central when terms.NoiseMultiplier > 0 && (terms.Limits.Cap > 0 ? terms.Limits.Cap : terms.Limits.Releases) is > 0 and var times =>
                AnalyticGaussian.Epsilon(terms.NoiseMultiplier / Math.Sqrt(times), planned.Delta),
            PrivacyPolicies.Central => double.PositiveInfinity,
            PrivacyPolicies.Distributed => terms is { NoiseMultiplier: > 0, Limits.Cap: > 0 and var cap }
                ? AnalyticGaussian.Epsilon(terms.NoiseMultiplier / Math.Sqrt(cap), planned.Delta) // Of as much Gaussian noise: what the grid costs is known with the sum.
                : double.PositiveInfinity,
            PrivacyPolicies.Local or PrivacyPolicies.Shuffle when terms is { ReportEpsilon: > 0, Limits.Cap: > 0 } =>
                new LedgerEntry("", "", "") { Delta = planned.Delta, Participations = terms.Limits.Cap, Reports = [new ReportCharge(terms.ReportEpsilon, Batch(told), terms.Limits.Cap)] }.Epsilon(),
            _ => 0,
        };
        return Promise(planned, computed, "its own numbers give");
    }

    /// <summary>What a sum's noise gives, on its grid and with all the times that a client may take part, must be what the statement promises.</summary>
    /// <param name="sum">As the client itself would encode for it.</param>
    public static string? Contradiction(PrivacyStatement told, SecureSumPlan sum) =>
        told is { Policy: PrivacyPolicies.Distributed, Planned: { } planned, Terms.Limits.Cap: > 0 and var cap }
            ? Promise(planned, sum.Event is { } noise ? new RdpAccountant().Epsilon(noise.Repeated(cap), planned.Delta) : double.PositiveInfinity, "the noise of the assignment's sum gives")
            : null;

    /// <summary>Honest reports that a client's own hides among, by the statement; 0 where nothing is shuffled.</summary>
    public static int Batch(PrivacyStatement told) => told.Policy == PrivacyPolicies.Shuffle ? Math.Max(0, told.Terms.MinimumBatch - told.Terms.AssumedCorrupt) : 0;

    private static string? Promise(PrivacyGuarantee planned, double computed, string by) => planned.Epsilon * Tolerance < computed
        ? $"the run's statement promises ε = {Figures.Up(planned.Epsilon)} at δ = {Figures.Up(planned.Delta)}, and {by} {Figures.Up(computed)}"
        : null;
}
