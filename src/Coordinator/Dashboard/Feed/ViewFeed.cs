using System.Text.Json;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>
/// What viewers may know of one run, in bounded memory: written by whoever runs or reads the run, read by the hub and by the history
/// endpoints. Every stream numbers its points from 1, so that a viewer that missed some can ask for just those.
/// </summary>
/// <remarks>
/// Writers never wait for viewers: a write is one short lock and one append, under a microsecond, whatever the number of viewers.
/// Memory: at most about 60 MiB for a run of any length, plus 120 B per client.
/// </remarks>
public sealed class ViewFeed(RunHeader header)
{
    /// <summary>Assignments in flight that viewers are told one by one.</summary>
    internal const int MostTasks = 2000;

    /// <summary>Clients nearest their cap that are told.</summary>
    private const int MostSpenders = 50;

    /// <summary>Names of the streams that <see cref="TryWrite"/> knows.</summary>
    internal static readonly string[] Streams = ["metrics", "versions", "updates", "groups", "events", "clients", "tallies"];

    private readonly Lock gate = new();
    private readonly FeedLog<MetricsPoint> metrics = new(32_768, thins: true);
    private readonly FeedLog<VersionPoint> versions = new(65_536, thins: true);
    private readonly FeedLog<UpdatePoint> updates = new(200_000, thins: false);
    private readonly FeedLog<GroupPoint> groups = new(20_000, thins: false);
    private readonly FeedLog<LogPoint> events = new(20_000, thins: false);
    private readonly Dictionary<long, TaskPoint> tasks = [];
    private readonly ClientBoard clients = new();
    private readonly RunTallies tallies = new();
    private RunStanding standing = new();
    private RunPrivacyMessage? privacy;
    private bool tellsTasks;
    private long stamp;

    public RunHeader Header
    {
        get => Volatile.Read(ref header);
        internal set
        {
            Volatile.Write(ref header, value);
            Interlocked.Increment(ref stamp);
        }
    }

    /// <summary>
    /// What the run says about privacy, where no coordinator answers for it; null where nobody knows. Clients are filled in by their accepted updates.
    /// </summary>
    public RunPrivacyMessage? Privacy
    {
        get
        {
            if (Volatile.Read(ref privacy) is not { } told || told.Statement.Unit is null)
            {
                return Volatile.Read(ref privacy);
            }

            lock (gate)
            {
                return told with
                {
                    Version = Standing.Version,
                    Clients =
                    [
                        .. clients.MostAccepted(MostSpenders).Select(c => new ClientSpendingMessage(
                            c.Client, "", c.Client < Header.ClientNames.Count ? Header.ClientNames[c.Client] : "", c.Accepted)),
                    ],
                };
            }
        }

        set
        {
            Volatile.Write(ref privacy, value);
            Interlocked.Increment(ref stamp);
        }
    }

    /// <summary>Grows with every change; equal stamps mean: nothing new.</summary>
    public long Stamp => Volatile.Read(ref stamp);

    public RunStanding Standing
    {
        get => Volatile.Read(ref standing);
        set
        {
            Volatile.Write(ref standing, value);
            Interlocked.Increment(ref stamp);
        }
    }

    public void Add(in MetricsPoint point)
    {
        lock (gate)
        {
            metrics.Append(point);
            stamp++;
        }
    }

    public void Add(in VersionPoint point)
    {
        lock (gate)
        {
            versions.Append(point);
            stamp++;
        }
    }

    /// <summary>An assignment was given out. A source that tells this tells it of every assignment.</summary>
    public void Begin(in TaskPoint task)
    {
        lock (gate)
        {
            tellsTasks = true;
            tasks[task.Assignment] = task;
            clients.Dispatched(task.Client, task.BaseVersion, task.DispatchedAt, ++stamp);
        }
    }

    /// <summary>The client has no work in hand any more, although what becomes of its update is still open.</summary>
    public void Arrived(long assignment, int client, double time)
    {
        lock (gate)
        {
            tasks.Remove(assignment);
            clients.Arrived(client, time, ++stamp);
        }
    }

    /// <summary>An assignment came to its end.</summary>
    public void Add(in UpdatePoint point)
    {
        lock (gate)
        {
            updates.Append(point);
            tallies.Ended(point);
            if (tasks.Remove(point.Assignment))
            {
                clients.Arrived(point.Client, point.EndedAt, stamp);
            }

            clients.Ended(point, tellsTasks, ++stamp);
        }
    }

    public void Add(in GroupPoint point)
    {
        lock (gate)
        {
            groups.Append(point);
            stamp++;
        }
    }

    public void Add(in LogPoint point)
    {
        lock (gate)
        {
            events.Append(point);
            stamp++;
        }
    }

    /// <summary>Clients are known before they did anything.</summary>
    public void EnsureClients(int count)
    {
        lock (gate)
        {
            clients.Ensure(count);
            stamp++;
        }
    }

    /// <summary>Bytes that went to and came from a client.</summary>
    public void AddTraffic(int client, long down, long up)
    {
        lock (gate)
        {
            clients.Sent(client, down, up, ++stamp);
        }
    }

    /// <summary>The model's accuracy on a client's own test examples.</summary>
    public void AddEvaluation(int client, double accuracy)
    {
        lock (gate)
        {
            clients.Evaluated(client, accuracy, ++stamp);
        }
    }

    /// <summary>Updates that came in time and that the aggregator did not use.</summary>
    public void AddLeftOut(IReadOnlyList<(int Client, string Reason)>? updates)
    {
        if (updates is not { Count: > 0 })
        {
            return;
        }

        lock (gate)
        {
            stamp++;
            foreach (var (client, reason) in updates)
            {
                tallies.LeftOut(reason);
                clients.LeftOut(client, stamp);
            }
        }
    }

    /// <summary>The client left the run for good.</summary>
    public void AddDeparture(int client)
    {
        lock (gate)
        {
            clients.Left(client, ++stamp);
        }
    }

    /// <summary>Points of the named streams behind a cursor, and the cursor behind them.</summary>
    internal FeedCursor Read(in FeedCursor cursor, FeedTopics topics, int most, out FeedBatch batch)
    {
        lock (gate)
        {
            batch = new FeedBatch
            {
                Standing = standing,
                Metrics = topics.HasFlag(FeedTopics.Curves) ? metrics.Read(cursor.Metrics, most, newest: true) : null,
                Versions = topics.HasFlag(FeedTopics.Curves) ? versions.Read(cursor.Versions, most, newest: true) : null,
                Updates = topics.HasFlag(FeedTopics.Updates) ? updates.Read(cursor.Updates, most, newest: true) : null,
                Groups = topics.HasFlag(FeedTopics.Groups) ? groups.Read(cursor.Groups, most, newest: true) : null,
                Events = topics.HasFlag(FeedTopics.Events) ? events.Read(cursor.Events, most, newest: true) : null,
                Tasks = topics.HasFlag(FeedTopics.Tasks) ? [.. tasks.Values.Take(MostTasks)] : null,
                Tallies = topics.HasFlag(FeedTopics.Tallies) ? Written(tallies.Write) : null,
            };
            return new FeedCursor(metrics.Last, versions.Last, updates.Last, groups.Last, events.Last);
        }
    }

    /// <summary>Writes up to <paramref name="most"/> points of one stream behind <paramref name="after"/>; of more, the oldest or the newest.</summary>
    /// <returns>False when there is no such stream.</returns>
    internal bool TryWrite(string stream, long after, int most, bool newest, Utf8JsonWriter json)
    {
        switch (stream)
        {
            case "metrics": json.WriteSlice(Slice(metrics, after, most, newest), MetricsPoint.Columns); return true;
            case "versions": json.WriteSlice(Slice(versions, after, most, newest), VersionPoint.Columns); return true;
            case "updates": json.WriteSlice(Slice(updates, after, most, newest), UpdatePoint.Columns); return true;
            case "groups": json.WriteSlice(Slice(groups, after, most, newest), GroupPoint.Columns); return true;
            case "events": json.WriteSlice(Slice(events, after, most, newest), LogPoint.Columns); return true;
            case "clients": json.WriteRawValue(Written(WriteClients), skipInputValidation: true); return true;
            case "tallies": json.WriteRawValue(Written(tallies.Write), skipInputValidation: true); return true;
            default: return false;
        }

        void WriteClients(Utf8JsonWriter inner)
        {
            lock (gate)
            {
                clients.Write(inner, after, stamp);
            }
        }
    }

    /// <summary>A run in a list: its standing, its last evaluation, and a curve of a few points.</summary>
    internal void WriteCard(Utf8JsonWriter json)
    {
        FeedSlice<MetricsPoint> slice;
        int clientCount;
        lock (gate)
        {
            slice = metrics.Read(0, int.MaxValue, newest: false);
            clientCount = Math.Max(clients.Count, Header.Clients);
        }

        json.WriteStartObject();
        json.WriteString("id", Header.Id);
        json.WriteString("name", Header.Name);
        json.WriteString("strategy", Header.Strategy);
        json.WriteString("source", Header.Source.ToString().ToLowerInvariant());
        json.WriteNumber("clients", clientCount);
        json.WritePropertyName("standing");
        Standing.Write(json);
        var best = double.NaN;
        foreach (var point in slice.Points)
        {
            best = double.IsNaN(best) ? point.Accuracy : Math.Max(best, point.Accuracy);
        }

        var last = slice.Points.Length == 0 ? default : slice.Points[^1];
        var has = slice.Points.Length > 0;
        json.WriteMeasure("accuracy", has ? last.Accuracy : double.NaN);
        json.WriteMeasure("best", best);
        json.WriteMeasure("loss", has ? last.Loss : double.NaN);
        json.WriteMeasure("epsilon", has ? last.Epsilon : double.NaN);
        json.WriteMeasure("bytes", has ? last.BytesUp + last.BytesDown : double.NaN);
        json.WriteStartArray("curve");
        const int Most = 60;
        for (var i = 0; i < Math.Min(Most, slice.Points.Length); i++)
        {
            var index = slice.Points.Length <= Most ? i : (int)((long)i * (slice.Points.Length - 1) / (Most - 1));
            json.WriteMeasure(slice.Points[index].Accuracy);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private FeedSlice<T> Slice<T>(FeedLog<T> log, long after, int most, bool newest)
    {
        lock (gate)
        {
            return log.Read(after, most, newest);
        }
    }

    private byte[] Written(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            lock (gate)
            {
                write(json);
            }
        }

        return stream.ToArray();
    }
}
