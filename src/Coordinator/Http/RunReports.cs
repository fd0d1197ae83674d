using System.Globalization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Privacy;
using Federated.Privacy.Statements;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Http;

/// <summary>From a run's view to what people read of it.</summary>
internal static class RunReports
{
    /// <summary>Clients nearest their cap that are listed.</summary>
    private const int MostClients = 50;

    public static RunSummaryMessage Summary(IRun host, CoordinatorService service)
    {
        var view = host.View;
        var description = service.DescriptionOf(host.Entry);
        var last = host.Metrics.Count > 0 ? host.Metrics[^1] : null;
        var expected = view.Host == HostState.Open ? host.Parts.ExpectedClients : 0;
        var total = Spent(description.Privacy, host).TotalSpent;
        return new RunSummaryMessage(
            host.Entry.Id,
            description.Name,
            view.Host == HostState.Open ? Spelling.Of(view.Status) : view.Host.ToString().ToLowerInvariant(),
            view.Version,
            Time(host.Entry.CreatedAt))
        {
            Detail = view.Problem.Length > 0 ? view.Problem : view.Ended?.Detail ?? "",
            Strategy = description.Strategy,
            Clients = view.Clients,
            ExpectedClients = expected,
            LobbyClients = expected > 0 ? Math.Max(view.Clients, host.LobbyCount) : view.Clients,
            WaitingClients = view.WaitingClients,
            InFlight = (int)view.Counters.InFlight,
            Dispatched = view.Counters.Dispatched,
            Accepted = view.Counters.Accepted,
            Rejected = view.Counters.Rejected,
            Lost = view.Counters.Lost,
            Accuracy = last?.Accuracy,
            Loss = last?.Loss,
            BestAccuracy = double.IsFinite(view.BestAccuracy) ? view.BestAccuracy : null,
            BestVersion = view.BestVersion >= 0 ? view.BestVersion : null,
            Seconds = view.Now,
            Epsilon = total is { } e ? Finite(e.Epsilon) : null,
            Delta = total?.Delta,
        };
    }

    public static async Task<RunDetailMessage> DetailAsync(IRun host, CoordinatorService service)
    {
        var view = await host.LookAsync(CancellationToken.None).ConfigureAwait(false);
        var clients = await host.ClientsAsync().ConfigureAwait(false) ?? [];
        string[] members = [.. clients.Select((_, n) => host.NameOf(new ClientId(n)))];
        var names = await service.Identities.NamesAsync(members).ConfigureAwait(false);
        return new RunDetailMessage(Summary(host, service))
        {
            Versions = [.. view.Versions.Select(v => new VersionMessage(v.Key, v.Value.Deployed))],
            Evaluations =
            [
                .. host.Metrics.Select(m => new EvaluationPoint(
                    m.Version, m.Time, m.Accuracy, m.Loss, m.Accepted, m.BytesUp, m.BytesDown, double.IsFinite(m.MeanStaleness) ? m.MeanStaleness : null)
                {
                    Epsilon = Total(host, m.Epsilon),
                    Spread = m.Spread is { } s ? new ScoreSpreadMessage(s.Count, s.Minimum, s.LowerDecile, s.Median, s.UpperDecile, s.Maximum) : null,
                }),
            ],
            Clients =
            [
                .. clients.Select((facts, n) => new RunClientMessage(
                    n, members[n], names[n] ?? members[n], facts.Examples, facts.Dispatched, facts.AcceptedUpdates, facts.SecondsPerStep)),
            ],
            ClientScores = await ScoresAsync(host, service).ConfigureAwait(false),
            Analysis = await host.AnalysisAsync(CancellationToken.None).ConfigureAwait(false),
            BranchedFrom = host.Entry.Origin is { } origin ? string.Create(CultureInfo.InvariantCulture, $"{origin.Run}, version {origin.Version}{(origin.Optimizer is null ? "" : ", with its server optimizer's state")}") : null,
            Privacy = StatementOf(host, service).Text,
        };
    }

    /// <summary>The run's statement as of its last version.</summary>
    public static PrivacyStatement StatementOf(IRun host, CoordinatorService service) =>
        Spent(service.DescriptionOf(host.Entry).Privacy, host);

    /// <summary>A ledger that cannot be read is not one that says nothing: the run then counts as having cost all that it may.</summary>
    internal static PrivacyStatement Spent(PrivacyStatement statement, IRun host)
    {
        var view = host.View;
        var isUnknown = view.Host.IsUnreadable() || (view.Host == HostState.Opening && view.Versions.IsEmpty);
        return statement with
        {
            Spent = isUnknown ? statement.Planned ?? view.Spent : view.Spent,
            IsSpentUnknown = isUnknown,
            Inherited = host.Entry.Origin?.Inherited,
        };
    }

    /// <param name="forClient">The client that asks, which is told nothing of the others; null for operators and viewers.</param>
    public static async Task<RunPrivacyMessage> PrivacyAsync(IRun host, CoordinatorService service, string? forClient, CancellationToken cancellation)
    {
        var spending = await host.SpendingAsync(forClient is null ? MostClients : 0).ConfigureAwait(false);
        string[] members = [.. spending.Nearest.Select(client => host.NameOf(new ClientId(client.Client)))];
        var names = await service.Identities.NamesAsync(members).ConfigureAwait(false);
        var lifetimes = new double?[members.Length];
        var lifetime = await service.Lifetime.LedgerAsync(cancellation).ConfigureAwait(false);
        for (var n = 0; n < members.Length && lifetime is not null; n++)
        {
            lifetimes[n] = (await lifetime.EntriesAsync(members[n], cancellation).ConfigureAwait(false)).Sum(e => e.Epsilon);
        }

        return new RunPrivacyMessage(host.Entry.Id, host.View.Version, StatementMessage.Of(StatementOf(host, service)))
        {
            CreatedAt = Time(host.Entry.CreatedAt),
            Course = [.. spending.Course.Select(point => new SpendingPoint(point.Version, Total(host, point.Epsilon)))],
            ClientsCharged = forClient is null ? spending.Charged : 0,
            Clients =
            [
                .. spending.Nearest.Select((client, n) => new ClientSpendingMessage(
                    client.Client, members[n], names[n] ?? members[n], client.Participations, Finite(client.Epsilon)) { LifetimeEpsilon = lifetimes[n] }),
            ],
            Lifetime = lifetime is null ? null : await LifetimeAsync(lifetime, forClient, cancellation).ConfigureAwait(false),
        };
    }

    private static async ValueTask<LifetimeMessage> LifetimeAsync(LifetimeLedger lifetime, string? client, CancellationToken cancellation)
    {
        var entries = client is null ? null : await lifetime.EntriesAsync(client, cancellation).ConfigureAwait(false);
        return new LifetimeMessage(lifetime.Budget.Epsilon, lifetime.Budget.Delta) { UsedEpsilon = entries?.Sum(e => e.Epsilon), UsedDelta = entries?.Sum(e => e.Delta) };
    }

    /// <summary>A branch's cost is never shown without what it inherited.</summary>
    private static double? Total(IRun host, double epsilon) => Finite(epsilon + (host.Entry.Origin?.Inherited.Epsilon ?? 0));

    private static double? Finite(double epsilon) => double.IsFinite(epsilon) ? epsilon : null;

    private static async ValueTask<ClientScoresMessage?> ScoresAsync(IRun host, CoordinatorService service)
    {
        ClientScore[] scores = [.. host.LastScores.OrderBy(s => s.Client)];
        if (ScoreSpread.Of(scores) is not { } spread)
        {
            return null;
        }

        string[] members = [.. scores.Select(s => host.NameOf(s.Client))];
        var names = await service.Identities.NamesAsync(members).ConfigureAwait(false);
        var examples = scores.Sum(s => s.Examples);
        var mean = scores.Average(s => s.Accuracy);
        var version = host.Metrics.LastOrDefault(m => m.Spread is not null)?.Version ?? host.View.Version;
        return new ClientScoresMessage(
            version,
            spread.Count,
            scores.Sum(s => s.Accuracy * s.Examples) / examples,
            mean,
            Math.Sqrt(scores.Average(s => (s.Accuracy - mean) * (s.Accuracy - mean))),
            spread.Minimum,
            spread.LowerDecile,
            spread.Median,
            spread.UpperDecile,
            spread.Maximum,
            scores.Sum(s => s.Loss * s.Examples) / examples)
        {
            Scores = [.. scores.Select((s, n) => new ClientScoreMessage(members[n], names[n] ?? members[n], s.Examples, s.Accuracy, s.Loss))],
        };
    }

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    public static string Time(double unixSeconds) => Time(DateTimeOffset.FromUnixTimeMilliseconds((long)(unixSeconds * 1000)));
}
