using Federated.Aggregation.Randomness;
using Federated.Protocol;

namespace Federated.Simulation.Devices;

/// <summary>
/// All simulated devices: plans each task from the four knobs. Holds nothing per client; every draw is derived on the fly from (seed,
/// knob, client, task), so that a task's plan is the same whatever happened before and in whatever order.
/// </summary>
/// <remarks>Cost: under a microsecond per task; no memory per client.</remarks>
public sealed class Fleet
{
    private readonly ClientsOptions options;
    private readonly ulong availability, connectivity, dropout, responsiveness, completeness, effort;

    /// <exception cref="SimulationException">The knobs contradict the number of clients.</exception>
    public Fleet(ClientsOptions options, int clients, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (clients <= 0)
        {
            throw new SimulationException(
                $"A run needs at least one client; there are {clients}. Set clients.count, or give data that are split over clients.");
        }

        if (options.Responsiveness is TableResponsiveness table && table.Rows.Count != clients)
        {
            throw new SimulationException(
                $"The responsiveness table needs one row per client: there are {table.Rows.Count} rows and {clients} clients. "
                + "Add or remove rows, or use kind: groups.");
        }

        CheckTable((options.Completeness as TableCompleteness)?.Rows, "completeness", clients);
        CheckTable(options.Effort.Table is { Count: > 0 } effortTable ? effortTable : null, "effort", clients);
        (this.options, Count) = (options, clients);
        availability = SeededRandom.DeriveSeed(seed, "availability");
        connectivity = SeededRandom.DeriveSeed(seed, "connectivity");
        dropout = SeededRandom.DeriveSeed(seed, "dropout");
        responsiveness = SeededRandom.DeriveSeed(seed, "responsiveness");
        completeness = SeededRandom.DeriveSeed(seed, "completeness");
        effort = SeededRandom.DeriveSeed(seed, "effort");
    }

    private static void CheckTable(IReadOnlyList<IReadOnlyList<int>>? rows, string name, int clients)
    {
        if (rows is not null && rows.Count != clients)
        {
            throw new SimulationException($"The {name} table needs one row per client: there are {rows.Count} rows and {clients} clients. Add or remove rows.");
        }
    }

    /// <summary>Number of clients.</summary>
    public int Count { get; }

    /// <summary>Whether clients are online from the start to the end.</summary>
    public bool IsAlwaysOnline => options.Availability is AlwaysAvailable;

    /// <summary>Whether a client can fall silent, so that only a timeout ends the wait for it.</summary>
    public bool CanVanish =>
        (options.Connectivity is { Dropout: > 0, WhenDroppingOut: DroppingOut.Vanish })
        || (!IsAlwaysOnline && options.Availability.WhenLeaving == Leaving.Vanish);

    /// <summary>When the client is online next, from <paramref name="time"/> on, and until when.</summary>
    internal OnlineWindow WindowAfter(int client, double time) => options.Availability.WindowAfter(availability, client, Count, time);

    /// <summary>Plans a task that an online client starts.</summary>
    /// <param name="task">The number of the client's task, from 0.</param>
    /// <param name="asked">Local steps asked, for this client's data; ignored when the work is the client's choice.</param>
    /// <param name="now">Virtual time, in seconds.</param>
    public TaskPlan Plan(int client, int task, LocalWork work, int asked, long bytesDown, long bytesUp, double now)
    {
        var steps = work.IsClientsChoice
            ? options.Effort.Steps(effort, client, task)
            : options.Completeness.Steps(completeness, client, task, work, asked);
        var link = options.Connectivity.LinkOf(connectivity, client);
        var seconds = options.Responsiveness.SecondsFor(responsiveness, client, task);
        var (download, upload) = (link.DownloadSeconds(bytesDown), link.UploadSeconds(bytesUp));
        var train = options.Responsiveness.Unit == DurationUnit.Task ? seconds : seconds * steps;
        var total = download + train + upload;
        var (fate, end) = (TaskFate.Arrives, now + total);
        if (options.Connectivity.Dropout > 0 || options.Connectivity.Departure > 0)
        {
            (fate, end) = DropOut(client, task, now, total);
        }

        if (!IsAlwaysOnline && options.Availability.WhenLeaving != Leaving.Finish)
        {
            var leaves = WindowAfter(client, now).End;
            if (leaves < end)
            {
                (fate, end) = (options.Availability.WhenLeaving == Leaving.Fail ? TaskFate.Fails : TaskFate.Vanishes, leaves);
            }
        }

        return new TaskPlan(steps, download, train, upload, fate, end);
    }

    private (TaskFate Fate, double End) DropOut(int client, int task, double now, double total)
    {
        var random = SeededRandom.Derive(dropout, "", client, task);
        var (departs, drops, moment) = (random.NextDouble(), random.NextDouble(), random.NextDouble());
        var fails = options.Connectivity.WhenDroppingOut == DroppingOut.Fail ? TaskFate.Fails : TaskFate.Vanishes;
        return departs < options.Connectivity.Departure ? (TaskFate.Departs, now + (moment * total))
            : drops < options.Connectivity.Dropout ? (fails, now + (moment * total))
            : (TaskFate.Arrives, now + total);
    }
}
