using System.Globalization;
using Federated.Coordinator.Hosting;
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
        var description = service.Configurations.Describe(host.Entry.Configuration);
        var last = host.Metrics.Count > 0 ? host.Metrics[^1] : null;
        var expected = view.Host == HostState.Open ? host.Parts.ExpectedClients : 0;
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
            Epsilon = view.Spent?.Epsilon,
            Delta = view.Spent?.Delta,
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
                    Spread = m.Spread is { } s ? new ScoreSpreadMessage(s.Count, s.Minimum, s.LowerDecile, s.Median, s.UpperDecile, s.Maximum) : null,
                }),
            ],
            Clients =
            [
                .. clients.Select((facts, n) => new RunClientMessage(
                    n, members[n], names[n] ?? members[n], facts.Examples, facts.Dispatched, facts.AcceptedUpdates, facts.SecondsPerStep)),
            ],
            ClientScores = await ScoresAsync(host, service).ConfigureAwait(false),
            BranchedFrom = host.Entry.Origin is { } origin ? string.Create(CultureInfo.InvariantCulture, $"{origin.Run}, version {origin.Version}") : null,
            Privacy = StatementOf(host, service).Text,
        };
    }

    /// <summary>The run's statement as of its last version.</summary>
    public static PrivacyStatement StatementOf(IRun host, CoordinatorService service) =>
        service.Configurations.Describe(host.Entry.Configuration).Privacy with { Spent = host.View.Spent };

    /// <param name="forClient">Whether a client asks: it is told nothing of the others.</param>
    public static async Task<RunPrivacyMessage> PrivacyAsync(IRun host, CoordinatorService service, bool forClient)
    {
        var spending = await host.SpendingAsync(forClient ? 0 : MostClients).ConfigureAwait(false);
        string[] members = [.. spending.Nearest.Select(client => host.NameOf(new ClientId(client.Client)))];
        var names = await service.Identities.NamesAsync(members).ConfigureAwait(false);
        return new RunPrivacyMessage(host.Entry.Id, host.View.Version, StatementMessage.Of(StatementOf(host, service)))
        {
            Course = [.. spending.Course.Select(point => new SpendingPoint(point.Version, Finite(point.Epsilon)))],
            ClientsCharged = forClient ? 0 : spending.Charged,
            Clients =
            [
                .. spending.Nearest.Select((client, n) => new ClientSpendingMessage(
                    client.Client, members[n], names[n] ?? members[n], client.Participations, Finite(client.Epsilon))),
            ],
        };
    }

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
