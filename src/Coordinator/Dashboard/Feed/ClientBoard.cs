using System.Text.Json;

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>What is known of each client, from how its assignments went: about 120 B per client.</summary>
internal sealed class ClientBoard
{
    private const double SpeedMomentum = 0.3;

    private Tally[] clients = [];

    public int Count { get; private set; }

    private struct Tally
    {
        public long Stamp;
        public int Dispatched;
        public int Accepted;
        public int Rejected;
        public int Lost;
        public int LeftOut;
        public int LastStaleness;
        public int Base;
        public UpdateEnd LastEnd;
        public bool InFlight;
        public bool Gone;
        public long StalenessSum;
        public long Steps;
        public long BytesUp;
        public long BytesDown;
        public double Examples;
        public double SecondsPerStep;
        public double Busy;
        public double Weight;
        public double LastSeen;
        public double Accuracy;
    }

    /// <summary>Makes every client up to <paramref name="count"/> known.</summary>
    public void Ensure(int count)
    {
        if (count > clients.Length)
        {
            var old = clients.Length;
            Array.Resize(ref clients, Math.Max(count, old * 2));
            for (var i = old; i < clients.Length; i++)
            {
                (clients[i].LastSeen, clients[i].SecondsPerStep, clients[i].Accuracy) = (double.NaN, double.NaN, double.NaN);
            }
        }

        Count = Math.Max(Count, count);
    }

    public void Dispatched(int client, int baseVersion, double time, long stamp)
    {
        Ensure(client + 1);
        ref var tally = ref clients[client];
        tally.Dispatched++;
        (tally.InFlight, tally.Base, tally.LastSeen, tally.Stamp) = (true, baseVersion, time, stamp);
    }

    /// <summary>The clients with the most accepted updates, those with the most first.</summary>
    public IReadOnlyList<(int Client, int Accepted)> MostAccepted(int count) =>
    [
        .. clients.Select((tally, client) => (client, tally.Accepted)).Where(c => c.Accepted > 0).OrderByDescending(c => c.Accepted).ThenBy(c => c.client).Take(count),
    ];

    public void Arrived(int client, double time, long stamp)
    {
        Ensure(client + 1);
        (clients[client].InFlight, clients[client].LastSeen, clients[client].Stamp) = (false, time, stamp);
    }

    public void Ended(in UpdatePoint update, bool wasDispatched, long stamp)
    {
        Ensure(update.Client + 1);
        ref var tally = ref clients[update.Client];
        tally.Stamp = stamp;
        tally.Dispatched += wasDispatched ? 0 : 1;
        (tally.LastEnd, tally.LastStaleness, tally.Examples) = (update.End, update.Staleness, update.Examples);
        tally.LastSeen = double.IsNaN(tally.LastSeen) ? update.EndedAt : Math.Max(tally.LastSeen, update.EndedAt);
        tally.Busy += Math.Max(0, update.EndedAt - update.DispatchedAt);
        switch (update.End)
        {
            case UpdateEnd.Accepted:
                tally.Accepted++;
                tally.StalenessSum += update.Staleness;
                tally.Weight += update.Weight;
                break;
            case UpdateEnd.Rejected:
                tally.Rejected++;
                break;
            default:
                tally.Lost++;
                break;
        }

        if (update.Steps > 0)
        {
            tally.Steps += update.Steps;
            var sample = (update.Download + update.Train + update.Upload) / update.Steps;
            tally.SecondsPerStep = double.IsNaN(tally.SecondsPerStep) ? sample : ((1 - SpeedMomentum) * tally.SecondsPerStep) + (SpeedMomentum * sample);
        }
    }

    public void Sent(int client, long down, long up, long stamp)
    {
        Ensure(client + 1);
        clients[client].BytesDown += down;
        clients[client].BytesUp += up;
        clients[client].Stamp = stamp;
    }

    public void Evaluated(int client, double accuracy, long stamp)
    {
        Ensure(client + 1);
        (clients[client].Accuracy, clients[client].Stamp) = (accuracy, stamp);
    }

    public void LeftOut(int client, long stamp)
    {
        Ensure(client + 1);
        clients[client].LeftOut++;
        clients[client].Stamp = stamp;
    }

    public void Left(int client, long stamp)
    {
        Ensure(client + 1);
        (clients[client].Gone, clients[client].InFlight, clients[client].Stamp) = (true, false, stamp);
    }

    /// <summary>Every client that changed behind <paramref name="after"/>, as columns.</summary>
    public void Write(Utf8JsonWriter json, long after, long stamp)
    {
        json.WriteStartObject();
        json.WriteNumber("stamp", stamp);
        json.WriteNumber("count", Count);
        var changed = new List<int>();
        for (var i = 0; i < Count; i++)
        {
            if (clients[i].Stamp > after)
            {
                changed.Add(i);
            }
        }

        void Column(string name, Action<int> write)
        {
            json.WriteStartArray(name);
            changed.ForEach(write);
            json.WriteEndArray();
        }

        Column("client", i => json.WriteNumberValue(i));
        Column("state", i => json.WriteNumberValue(StateOf(clients[i])));
        Column("dispatched", i => json.WriteNumberValue(clients[i].Dispatched));
        Column("accepted", i => json.WriteNumberValue(clients[i].Accepted));
        Column("rejected", i => json.WriteNumberValue(clients[i].Rejected));
        Column("lost", i => json.WriteNumberValue(clients[i].Lost));
        Column("leftOut", i => json.WriteNumberValue(clients[i].LeftOut));
        Column("staleness", i => json.WriteMeasure(clients[i].Accepted == 0 ? double.NaN : (double)clients[i].StalenessSum / clients[i].Accepted));
        Column("lastStaleness", i => json.WriteNumberValue(clients[i].LastStaleness));
        Column("steps", i => json.WriteNumberValue(clients[i].Steps));
        Column("examples", i => json.WriteMeasure(clients[i].Examples));
        Column("secondsPerStep", i => json.WriteMeasure(clients[i].SecondsPerStep));
        Column("busy", i => json.WriteMeasure(clients[i].Busy));
        Column("weight", i => json.WriteMeasure(clients[i].Weight));
        Column("lastSeen", i => json.WriteMeasure(clients[i].LastSeen));
        Column("accuracy", i => json.WriteMeasure(clients[i].Accuracy));
        Column("bytesUp", i => json.WriteNumberValue(clients[i].BytesUp));
        Column("bytesDown", i => json.WriteNumberValue(clients[i].BytesDown));
        json.WriteEndObject();
    }

    /// <summary>0 never asked, 1 training now, 2 last update accepted, 3 last one rejected, 4 last one lost, 5 gone for good.</summary>
    private static int StateOf(in Tally tally) => tally switch
    {
        { Gone: true } => 5,
        { InFlight: true } => 1,
        { Dispatched: 0 } => 0,
        { Accepted: 0, Rejected: 0, Lost: 0 } => 2,
        { LastEnd: UpdateEnd.Accepted } => 2,
        { LastEnd: UpdateEnd.Rejected } => 3,
        _ => 4,
    };
}
