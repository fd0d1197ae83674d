using Federated.Coordinator.Hosting;
using Federated.Privacy;
using Federated.Privacy.Statements;

namespace Federated.Coordinator.Privacy;

/// <summary>What a branch inherits of what the run that it comes from has cost, and whether its own budget can still hold.</summary>
internal static class BranchInheritance
{
    /// <summary>The cost of a version: as of its publication where the ledger still knows it, else the nearest bound above it.</summary>
    public static async Task<PrivacyInheritance> OfAsync(IRun source, int version)
    {
        var before = source.Entry.Origin?.Inherited;
        if (version == 0) // The model that the run began with, before any client of its own.
        {
            return before is null or { Basis: InheritanceBasis.Nothing }
                ? new PrivacyInheritance(source.Entry.Id, version, InheritanceBasis.Nothing)
                : before with { Run = source.Entry.Id, Version = version };
        }

        var spending = await source.SpendingAsync(0).ConfigureAwait(false);
        var (basis, own) = Own(source, version, spending);
        var told = own is null ? null : own with { Assumptions = [.. own.Assumptions.Select(a => $"In run '{source.Entry.Id}': {a}")] };
        if (before is null or { Basis: InheritanceBasis.Nothing } || told is null)
        {
            return new PrivacyInheritance(source.Entry.Id, version, basis, told);
        }

        var whole = before.With(told);
        return new PrivacyInheritance(source.Entry.Id, version, whole is null ? InheritanceBasis.Unbounded : basis, whole);
    }

    /// <exception cref="CoordinatorException">With what it inherits, the branch would exceed its own budget.</exception>
    public static void Require(PrivacyStatement branch, PrivacyInheritance inherited)
    {
        if ((branch with { Inherited = inherited }).RefusalOfInheritance() is { } refusal)
        {
            throw new CoordinatorException(refusal);
        }
    }

    private static (InheritanceBasis Basis, PrivacyGuarantee? Guarantee) Own(IRun source, int version, RunSpending spending)
    {
        var (planned, spent) = (source.Parts.Privacy.Planned, source.View.Spent);
        var at = spending.Course.Where(point => point.Version >= version).Select(point => (SpentAt?)point).FirstOrDefault();
        return (spent ?? planned) is not { } form ? (InheritanceBasis.Unbounded, null)
            : at is { } point ? Finite(point.Version == version ? InheritanceBasis.AtVersion : InheritanceBasis.Latest, form with { Epsilon = point.Epsilon })
            : spent is not null ? Finite(InheritanceBasis.Latest, spent)
            : Finite(InheritanceBasis.Planned, planned!);
    }

    private static (InheritanceBasis Basis, PrivacyGuarantee? Guarantee) Finite(InheritanceBasis basis, PrivacyGuarantee guarantee) =>
        double.IsFinite(guarantee.Epsilon) ? (basis, guarantee) : (InheritanceBasis.Unbounded, null);
}
