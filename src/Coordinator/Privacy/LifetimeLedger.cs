using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Privacy.Statements;

namespace Federated.Coordinator.Privacy;

/// <summary>
/// Keeps what all runs of a coordinator cost one client to a budget: before a client joins a run, the most that the run can cost it is
/// written down; a run for which nothing is left is closed to that client. Nothing is ever given back, whatever becomes of the run.
/// </summary>
/// <remarks>
/// Basic composition (Dwork and Roth 2014, Theorem 3.16): ε and δ of the runs add up, for runs chosen adaptively and of unlike policies. All
/// are taken as guarantees for a client whose contributions are exchanged for zero: replace-one and add-remove guarantees of a client imply
/// that one with the same numbers. An entry is a document <c>spending/CLIENT/NUMBER</c>, created and never replaced: of two silos that admit
/// the same client at once, one creates the number and the other looks again. Cost: a read for each run that the client was in, once a join.
/// </remarks>
public sealed class LifetimeLedger(IDocumentStore documents, LifetimeBudget budget)
{
    private const string Folder = "spending";
    private const int Form = 1;
    private const double Rounding = 1e-9;

    public LifetimeBudget Budget => budget;

    /// <summary>What is spent or reserved of a client's budget, run by run.</summary>
    public async ValueTask<IReadOnlyList<LifetimeEntry>> EntriesAsync(string client, CancellationToken cancellation)
    {
        var folder = FolderOf(client);
        List<LifetimeEntry> entries = [];
        foreach (var name in await documents.ListAsync(folder, cancellation).ConfigureAwait(false))
        {
            if (await documents.ReadAsync($"{folder}/{name}", cancellation).ConfigureAwait(false) is { } bytes)
            {
                entries.Add(Read($"{folder}/{name}", bytes));
            }
        }

        return entries;
    }

    /// <summary>Why a run with such a statement can be taken part in by nobody; null when it can.</summary>
    public string? RefusalOf(PrivacyStatement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        return statement.Planned is not { } planned
            ? $"This coordinator's runs may cost one client ε = {Figures.Up(budget.Epsilon)} at δ = {Figures.Up(budget.Delta)} together, and nothing bounds in advance what this run costs. "
                + "Give it a privacy policy with a budget (privacy.epsilon), or a limit on participations."
            : !Fits(planned.Epsilon, planned.Delta)
                ? $"This run may cost one client {Words(planned)}, more than the ε = {Figures.Up(budget.Epsilon)} at δ = {Figures.Up(budget.Delta)} that all runs of this coordinator together may."
                : null;
    }

    /// <summary>Reserves the most that a run can cost a client. A second time changes nothing.</summary>
    /// <returns>Null when it is reserved, durably; else why the client cannot take part.</returns>
    public async ValueTask<string?> ReserveAsync(string client, RunEntry run, PrivacyStatement statement, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (RefusalOf(statement) is { } refusal)
        {
            return refusal;
        }

        var (planned, created) = (statement.Planned!, run.CreatedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        while (true)
        {
            var entries = await EntriesAsync(client, cancellation).ConfigureAwait(false);
            if (entries.Any(e => e.Run == run.Id && e.Created == created))
            {
                return null;
            }

            var (epsilon, delta) = (entries.Sum(e => e.Epsilon), entries.Sum(e => e.Delta));
            if (!Fits(epsilon + planned.Epsilon, delta + planned.Delta))
            {
                return $"This run may cost a client {Words(planned)}. Of the ε = {Figures.Up(budget.Epsilon)} and δ = {Figures.Up(budget.Delta)} that all runs of this coordinator together may cost "
                    + $"it, {Figures.Up(epsilon)} and {Figures.Up(delta)} are spent or reserved by {string.Join(", ", entries.Select(e => e.Run))}. It takes no part in this run.";
            }

            var document = new LifetimeEntry(Form, run.Id, created, planned.Epsilon, planned.Delta);
            var name = $"{FolderOf(client)}/{entries.Count.ToString("D6", CultureInfo.InvariantCulture)}";
            if (await documents.CreateAsync(name, JsonSerializer.SerializeToUtf8Bytes(document, LifetimeJson.Default.LifetimeEntry), cancellation).ConfigureAwait(false))
            {
                return null;
            }
        }
    }

    private bool Fits(double epsilon, double delta) => epsilon <= budget.Epsilon * (1 + Rounding) && delta <= budget.Delta * (1 + Rounding);

    private static string Words(PrivacyGuarantee guarantee) => $"ε = {Figures.Up(guarantee.Epsilon)} at δ = {Figures.Up(guarantee.Delta)}";

    private static string FolderOf(string client) => Identifier.IsValid(client)
        ? $"{Folder}/{client}"
        : $"{Folder}/x-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(client)))}"; // A certificate's name may be anything.

    private static LifetimeEntry Read(string name, byte[] bytes)
    {
        try
        {
            var entry = JsonSerializer.Deserialize(bytes, LifetimeJson.Default.LifetimeEntry)!;
            return entry.Form == Form ? entry : throw new CoordinatorException($"{name} is of form {entry.Form}, which this build does not know; use the build that wrote it.");
        }
        catch (JsonException e)
        {
            throw new StorageException($"{name} is damaged: {e.Message} Restore it from a backup.", e);
        }
    }
}

/// <summary>What one run may cost a client at most, reserved before it joined.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Created">When the run was created: a name that was given up may be given again.</param>
public sealed record LifetimeEntry(int Form, string Run, string Created, double Epsilon, double Delta);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LifetimeEntry))]
[JsonSerializable(typeof(LifetimeBudget))]
internal sealed partial class LifetimeJson : JsonSerializerContext;
