using System.Text.Json;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Dashboard.Live;

/// <summary>
/// Tells viewers of a run that a coordinator hosts. Listens to the run's notices through a bounded stream, so that the run never waits;
/// what happened before it began to listen is told as far as the run remembers it: evaluations, counters, clients' names.
/// </summary>
internal sealed class HostedRunFeed : IAsyncDisposable
{
    private const int MostNotices = 16_384;
    private const int MostNames = 1000;

    private readonly IRun host;
    private readonly RunFeed notices;
    private readonly Task listening;
    private readonly Dictionary<long, (UpdateReport Report, double At)> arrived = [];
    private readonly List<string> names = [];
    private readonly Dictionary<long, double> measured = [];
    private readonly Dictionary<int, VersionMeasured> published = [];
    private readonly Lock telling = new();
    private int evaluations, met;
    private long missed;
    private (int Count, double Sum) staleness;

    public HostedRunFeed(IRun host, RunHeader header)
    {
        this.host = host;
        host.Observe();
        notices = host.Subscribe(MostNotices);
        View = new ViewFeed(header with { Clients = Math.Max(header.Clients, host.View.Clients) });
        var view = host.View;
        View.Add(new LogPoint(view.Now, view.Now, LogSeverity.Information, "run", $"The coordinator opened the run at version {view.Version}.", Version: view.Version));
        Tell();
        listening = Task.Run(ListenAsync);
    }

    public ViewFeed View { get; }

    public async ValueTask DisposeAsync()
    {
        notices.Dispose();
        await listening.ConfigureAwait(false);
    }

    private async Task ListenAsync()
    {
        while (await notices.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            lock (telling)
            {
                while (notices.Reader.TryRead(out var notice))
                {
                    Take(notice);
                }

                TellNow();
            }
        }
    }

    private void Take(RunNotice notice)
    {
        var time = notice.Event.Time;
        switch (notice.Event)
        {
            case ClientJoined e:
                Meet(e.Client, notice.Member);
                View.EnsureClients(e.Client.Value + 1);
                Log(time, LogSeverity.Information, "client", $"{(notice.Member.Length > 0 ? notice.Member : e.Client.ToString())} joined.", e.Client.Value);
                break;
            case UpdateArrived e:
                Arrive(e, time);
                break;
            case GroupArrived e:
                foreach (var member in e.Members)
                {
                    Arrive(member, time);
                }

                break;
            case ClientLost e:
                View.AddDeparture(e.Client.Value);
                break;
            case OperatorCommand e:
                Log(time, LogSeverity.Information, "operator", $"Operator: {e.Action.ToString().ToLowerInvariant()}. {e.Reason}");
                break;
        }

        measured.Clear();
        published.Clear();
        foreach (var fact in notice.Facts)
        {
            switch (fact)
            {
                case UpdateMeasured m:
                    measured[m.Assignment.Value] = m.Norm;
                    break;
                case VersionMeasured m:
                    published[m.Version] = m;
                    break;
                case GroupChanged { Group: var g }:
                    View.Add(new GroupPoint(g.Number, g.Opened, g.Expected, g.Latest, g.Closed, [.. g.Members.Select(member => member.Value)], g.Arrived, g.Version));
                    break;
            }
        }

        foreach (var effect in notice.Effects)
        {
            Take(effect, time);
        }
    }

    private void Arrive(UpdateArrived e, double time)
    {
        arrived[e.Assignment.Value] = (e.Report, time);
        View.Arrived(e.Assignment.Value, e.Client.Value, time);
        View.AddTraffic(e.Client.Value, e.Report.BytesDown, e.Report.BytesUp);
    }

    private void Take(RunEffect effect, double time)
    {
        switch (effect)
        {
            case Dispatch { Assignment: var a }:
                View.Begin(new TaskPoint(a.Id.Value, a.Client.Value, a.BaseVersion, a.Work.Steps, a.DispatchedAt));
                break;
            case Accumulate e:
                End(e.Assignment, UpdateEnd.Accepted, "", e.Staleness, e.Weight, time);
                staleness = (staleness.Count + 1, staleness.Sum + e.Staleness);
                break;
            case Rejected { Assignment: { } a } e:
                End(a, UpdateEnd.Rejected, Word(e.Reason), Math.Max(0, host.View.Version - a.BaseVersion), 0, time);
                Log(time, LogSeverity.Warning, "client", $"An update was not used ({Word(e.Reason)}). {e.Detail}", a.Client.Value);
                break;
            case Lost e:
                End(e.Assignment, UpdateEnd.Lost, Word(e.Reason), Math.Max(0, host.View.Version - e.Assignment.BaseVersion), 0, time);
                Log(time, LogSeverity.Warning, "client", $"Work was lost ({Word(e.Reason)}). {e.Detail}", e.Assignment.Client.Value);
                break;
            case Publish e:
                var known = published.GetValueOrDefault(e.Version);
                View.Add(new VersionPoint(
                    e.Version, time, e.Count, staleness.Count == 0 ? double.NaN : staleness.Sum / staleness.Count,
                    known?.WeightSum ?? double.NaN, known?.StepNorm ?? double.NaN, known?.Agreement ?? double.NaN));
                View.AddLeftOut(known?.LeftOut);
                staleness = default;
                break;
            case Finish e:
                Log(time, e.Reason is FinishReason.Diverged or FinishReason.Stalled ? LogSeverity.Error : LogSeverity.Information, "run", $"The run ended: {e.Detail}");
                break;
        }
    }

    private void End(Assignment assignment, UpdateEnd end, string reason, int staleness, double weight, double time)
    {
        var came = arrived.Remove(assignment.Id.Value, out var arrival);
        var (download, train, upload) = came ? arrival.Report.Seconds : default;
        View.Add(new UpdatePoint
        {
            Assignment = assignment.Id.Value,
            Client = assignment.Client.Value,
            BaseVersion = assignment.BaseVersion,
            Staleness = staleness,
            Steps = came ? arrival.Report.LocalSteps : 0,
            Examples = came ? arrival.Report.Examples : double.NaN,
            Download = download,
            Train = train,
            Upload = upload,
            Aggregate = came ? time - arrival.At : 0,
            Weight = weight,
            Norm = measured.GetValueOrDefault(assignment.Id.Value, double.NaN),
            Cosine = double.NaN,
            End = end,
            Reason = reason,
            DispatchedAt = assignment.DispatchedAt,
            EndedAt = came ? arrival.At : time,
            Version = end == UpdateEnd.Accepted ? assignment.BaseVersion + staleness + 1 : 0,
        });
    }

    private void Meet(ClientId client, string name)
    {
        if (client.Value >= View.Header.Clients)
        {
            View.Header = View.Header with { Clients = client.Value + 1 };
        }

        if (client.Value >= MostNames || name.Length == 0)
        {
            return;
        }

        while (names.Count <= client.Value)
        {
            names.Add("");
        }

        names[client.Value] = name;
        View.Header = View.Header with { ClientNames = [.. names] };
    }

    /// <summary>Tells what no notice tells of: who waits for the run to begin. Cheap when nothing has changed.</summary>
    internal void Refresh() => Tell();

    private void Tell()
    {
        lock (telling)
        {
            TellNow();
        }
    }

    private void TellNow()
    {
        // Names come with the clients' joining, or, of a run that another silo hosts, later and without a notice.
        View.EnsureClients(host.View.Clients);
        for (; met < Math.Min(host.View.Clients, MostNames) && host.NameOf(new ClientId(met)) is { Length: > 0 } name; met++)
        {
            if (met >= names.Count || names[met].Length == 0)
            {
                Meet(new ClientId(met), name);
            }
        }

        var points = host.Metrics;
        for (; evaluations < points.Count; evaluations++)
        {
            var p = points[evaluations];
            View.Add(new MetricsPoint(p.Version, p.Version, p.Time, p.Time, p.Accuracy, p.Loss, p.Accepted, p.BytesUp, p.BytesDown, p.MeanStaleness, p.Epsilon + (host.Entry.Origin?.Inherited.Epsilon ?? 0)));
        }

        var view = host.View;
        var counters = view.Counters;
        if (notices.Dropped is var dropped && dropped > missed)
        {
            Log(view.Now, LogSeverity.Warning, "run", $"The dashboard was too slow for {dropped - missed} events of this run; its timeline lacks them, its counters do not.");
            missed = dropped;
        }

        var standing = new RunStanding
        {
            Status = view.Status,
            Version = view.Version,
            Time = view.Now,
            Wall = view.Now,
            Accepted = counters.Accepted,
            Rejected = counters.Rejected,
            Lost = counters.Lost,
            InFlight = counters.InFlight,
            Waiting = view.WaitingClients,
            Events = view.Sequence,
            WaitsFor = WaitsFor(view),
            FinishReason = view.Ended is { } ended ? Word(ended.Reason) : "",
            FinishDetail = view.Ended?.Detail ?? "",
        };
        if (standing != View.Standing)
        {
            View.Standing = standing;
        }
    }

    private string WaitsFor(RunView view)
    {
        if (view.Host != HostState.Open)
        {
            return view.Problem;
        }

        return view is not { Status: RunStatus.Running, Clients: 0 } ? ""
            : host.Parts.ExpectedClients is > 0 and var expected ? $"Waiting for clients: {Math.Max(view.Clients, host.LobbyCount)} of {expected} are here."
            : "Waiting for its first client.";
    }

    private void Log(double time, LogSeverity severity, string kind, string text, int client = -1) =>
        View.Add(new LogPoint(time, time, severity, kind, text, client, host.View.Version));

    private static string Word<TEnum>(TEnum value)
        where TEnum : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
