using System.Text.Json;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Privacy;

/// <summary>The budget over all runs for each client, as it is now: that of a coordinator which is alone, or the one that all silos of a cluster keep to. Thread-safe.</summary>
/// <remarks>
/// A cluster's stands in its store, as <c>cluster/client-budget</c>: the silo that was started last with a budget has said it for all of them, and those that were
/// started without one keep to it too; they follow within a lease. It can be changed and not taken away, since of silos that disagree one would let in whom another refuses.
/// </remarks>
internal sealed class LifetimeBudgets
{
    private const string Name = "cluster/client-budget";

    private readonly IDocumentStore documents;
    private readonly TimeSpan? lease;
    private readonly TimeProvider clock;
    private volatile Known known;

    private LifetimeBudgets(IDocumentStore documents, LifetimeBudget? budget, TimeSpan? lease, TimeProvider clock) =>
        (this.documents, this.lease, this.clock, known) = (documents, lease, clock, new Known(budget is null ? null : new LifetimeLedger(documents, budget), clock.GetTimestamp()));

    /// <param name="budget">What this process was started with; null for none.</param>
    /// <param name="lease">How long a budget that another silo has changed may be kept to here; null for a coordinator that is alone.</param>
    public static async ValueTask<LifetimeBudgets> OpenAsync(IDocumentStore documents, LifetimeBudget? budget, TimeSpan? lease, TimeProvider clock, CancellationToken cancellation)
    {
        if (lease is not null)
        {
            var stored = await ReadAsync(documents, cancellation).ConfigureAwait(false);
            if (budget is not null && budget != stored)
            {
                await documents.WriteAsync(Name, JsonSerializer.SerializeToUtf8Bytes(budget, LifetimeJson.Default.LifetimeBudget), cancellation).ConfigureAwait(false);
            }

            budget ??= stored;
        }

        return new LifetimeBudgets(documents, budget, lease, clock);
    }

    /// <returns>Null when no budget is set.</returns>
    public async ValueTask<LifetimeLedger?> LedgerAsync(CancellationToken cancellation)
    {
        var present = known;
        if (lease is null || clock.GetElapsedTime(present.ReadAt) < lease)
        {
            return present.Ledger;
        }

        var now = clock.GetTimestamp();
        var budget = await ReadAsync(documents, cancellation).ConfigureAwait(false);
        var ledger = budget is null ? null : budget == present.Ledger?.Budget ? present.Ledger : new LifetimeLedger(documents, budget);
        known = new Known(ledger, now);
        return ledger;
    }

    private static async ValueTask<LifetimeBudget?> ReadAsync(IDocumentStore documents, CancellationToken cancellation)
    {
        if (await documents.ReadAsync(Name, cancellation).ConfigureAwait(false) is not { } bytes)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, LifetimeJson.Default.LifetimeBudget);
        }
        catch (JsonException e)
        {
            throw new StorageException($"The store's document {Name} is damaged: {e.Message} Start a silo with --client-epsilon, which writes it anew.", e);
        }
    }

    private sealed record Known(LifetimeLedger? Ledger, long ReadAt);
}
