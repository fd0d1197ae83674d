using System.Diagnostics;
using System.Globalization;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;

namespace Federated.Benchmarks.Simulation;

/// <summary>
/// The timeline alone: client events per second of the simulator and the run machine together, and the memory of many clients. One
/// thread. Each case is best run in a process of its own, because the memory is the process's peak.
/// </summary>
[WholeProcess(
    "events", "[clients] [case]: client events per second of the simulator without training, and its memory",
    "clients:count", "case:buffered|synchronous|all-in-flight|duty-cycle")]
internal static class EventEngine
{
    /// <param name="args">Clients (default 100000), and part of a case's name (default all).</param>
    public static int Run(string[] args)
    {
        var clients = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
        var filter = args.Length > 1 ? args[1] : "";
        var lognormal = new LogNormalResponsiveness { Per = DrawScope.Task, Median = 1 };
        Case("buffered", filter, new BufferedOptions { Concurrency = 1000, AggregationGoal = 10 }, new ClientsOptions { Count = clients, Responsiveness = lognormal });
        Case("synchronous", filter, new SynchronousOptions { Cohort = 1000 }, new ClientsOptions { Count = clients, Responsiveness = lognormal });
        Case("all-in-flight", filter, new BufferedOptions { Concurrency = clients, AggregationGoal = 100 }, new ClientsOptions { Count = clients, Responsiveness = lognormal });
        Case("duty-cycle", filter, new BufferedOptions { Concurrency = 1000, AggregationGoal = 10 }, new ClientsOptions
        {
            Count = clients,
            Responsiveness = lognormal,
            Availability = new DutyCycleAvailability { PeriodSeconds = 3600, OnlineShare = 0.3 },
            Connectivity = new LogNormalConnectivity { Dropout = 0.1 },
        });
        return 0;
    }

    private static void Case(string name, string filter, SchedulerOptions scheduler, ClientsOptions clients)
    {
        if (!name.Contains(filter, StringComparison.Ordinal))
        {
            return;
        }

        var options = new RunOptions { Stop = new StopOptions { ClientUpdates = 1_000_000 } };
        var machine = new RunMachine(options, Schedulers.Create(scheduler, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
        using var workload = new TimelineWorkload(_ => 100, 10, 0);
        var opening = new Stopwatch();
        var simulator = new Simulator(machine, options, new Fleet(clients, clients.Count, 1), workload, null, TimeProvider.System);
        opening.Start();
        var allocated = GC.GetTotalAllocatedBytes();
        var outcome = simulator.Run(CancellationToken.None);
        opening.Stop();
        var peak = Process.GetCurrentProcess().PeakWorkingSet64;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-14} {clients.Count,9:N0} clients  {outcome.Events,10:N0} events in {opening.Elapsed.TotalSeconds,6:N2} s  "
            + $"{outcome.Events / opening.Elapsed.TotalSeconds,11:N0} events/s  {outcome.Counters.Accepted / opening.Elapsed.TotalSeconds,10:N0} updates/s  "
            + $"peak {peak / 1048576.0,7:N0} MiB  {(GC.GetTotalAllocatedBytes() - allocated) / (double)outcome.Events,5:N0} B/event  GC {GC.CollectionCount(0)}/{GC.CollectionCount(1)}/{GC.CollectionCount(2)}"));
    }
}
