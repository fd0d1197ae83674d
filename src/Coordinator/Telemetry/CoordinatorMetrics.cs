using System.Diagnostics.Metrics;
using Federated.Coordinator.Hosting;

namespace Federated.Coordinator.Telemetry;

/// <summary>What the coordinator counts and measures: one meter, OpenTelemetry names and units. <c>/metrics</c> shows it as Prometheus text, OTLP exports it.</summary>
public sealed class CoordinatorMetrics : IDisposable
{
    public const string MeterName = "Federated.Coordinator";

    private readonly Meter meter = new(MeterName);
    private readonly Counter<long> checkIns, updates, refusals, bytesIn, bytesOut;
    private readonly Histogram<double> settling;
    private readonly UpDownCounter<long> polls;

    public CoordinatorMetrics()
    {
        checkIns = meter.CreateCounter<long>("federated.check_ins", "{check_in}", "Check-ins that were answered, by answer.");
        updates = meter.CreateCounter<long>("federated.updates", "{update}", "Updates that clients sent, by outcome.");
        refusals = meter.CreateCounter<long>("federated.refusals", "{request}", "Requests that were not let in, by reason.");
        bytesIn = meter.CreateCounter<long>("federated.received", "By", "Bytes of updates received.");
        bytesOut = meter.CreateCounter<long>("federated.sent", "By", "Bytes of models sent.");
        settling = meter.CreateHistogram<double>("federated.update.duration", "s", "From an update's last byte until it is durable and counted.");
        polls = meter.CreateUpDownCounter<long>("federated.long_polls", "{request}", "Check-ins that are connected and wait.");
    }

    internal Meter Meter => meter;

    /// <summary>Gauges of the runs, read when somebody looks.</summary>
    internal void Observe(Func<IEnumerable<IRun>> runs)
    {
        meter.CreateObservableGauge(
            "federated.run.open",
            () => runs().Select(run => new Measurement<int>(
                run.View.Host == HostState.Open ? 1 : 0,
                new KeyValuePair<string, object?>("run", run.Entry.Id), new KeyValuePair<string, object?>("state", run.View.Host.ToString().ToLowerInvariant()))),
            "{run}", "1 for a run that is served; 0 for one that is being opened, is damaged or has failed.");
        meter.CreateObservableGauge("federated.run.version", () => Of(runs, v => v.Version), "{version}", "Version of the run's model.");
        meter.CreateObservableGauge("federated.run.clients", () => Of(runs, v => v.Clients), "{client}", "Clients that joined the run.");
        meter.CreateObservableGauge("federated.run.waiting", () => Of(runs, v => v.WaitingClients), "{client}", "Clients that wait for work.");
        meter.CreateObservableGauge("federated.run.in_flight", () => Of(runs, v => v.Counters.InFlight), "{assignment}", "Assignments out at clients.");
        meter.CreateObservableGauge("federated.run.mailbox", () => Of(runs, v => v.MailboxDepth), "{request}", "Requests that wait for the run's loop.");
        meter.CreateObservableGauge("federated.run.best_accuracy", () => Of(runs, v => v.BestAccuracy).Where(m => double.IsFinite(m.Value)), "1", "Best accuracy of an evaluated version.");
        foreach (var (name, value) in (ReadOnlySpan<(string, Func<Runs.RunCounters, long>)>)
            [("dispatched", c => c.Dispatched), ("accepted", c => c.Accepted), ("rejected", c => c.Rejected), ("lost", c => c.Lost)])
        {
            meter.CreateObservableCounter($"federated.run.{name}", () => Of(runs, v => value(v.Counters)), "{assignment}", $"Assignments {name}.");
        }
    }

    internal void CheckedIn(string answer) => checkIns.Add(1, new KeyValuePair<string, object?>("answer", answer));

    internal void Refused(string reason) => refusals.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal void Received(long bytes) => bytesIn.Add(bytes);

    internal void Sent(long bytes) => bytesOut.Add(bytes);

    internal void Settled(SubmitResult result, TimeSpan duration)
    {
        var outcome = result switch
        {
            UpdateTaken => "accepted",
            UpdateRefused => "rejected",
            BlobsMissing => "declared",
            NotAnUpdate => "malformed",
            _ => "not-asked",
        };
        updates.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        if (result is UpdateTaken or UpdateRefused)
        {
            settling.Record(duration.TotalSeconds);
        }
    }

    /// <summary>Counts a long poll while it lasts.</summary>
    internal PollCount Polling() => new(polls);

    public void Dispose() => meter.Dispose();

    private static IEnumerable<Measurement<double>> Of(Func<IEnumerable<IRun>> runs, Func<RunView, double> value) =>
        runs().Select(run => new Measurement<double>(value(run.View), new KeyValuePair<string, object?>("run", run.Entry.Id)));

    internal readonly struct PollCount : IDisposable
    {
        private readonly UpDownCounter<long> counter;

        public PollCount(UpDownCounter<long> counter)
        {
            this.counter = counter;
            counter.Add(1);
        }

        public void Dispose() => counter.Add(-1);
    }
}
