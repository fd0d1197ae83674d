using System.Text.Json;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Hosting;
using Microsoft.Extensions.Hosting;

namespace Federated.Coordinator.Dashboard.Http;

/// <summary>Looks at this process once per second: processor, memory, garbage collection, and what the hub sends.</summary>
internal sealed class SystemSampler(ViewFeeds feeds, TimeProvider clock) : BackgroundService
{
    private readonly Lock gate = new();
    private readonly FeedLog<Sample> samples = new(7200, thins: true);

    private readonly record struct Sample(
        double Wall, double Processor, long Resident, long Managed, long Collections, int Threads, long Queue, int Viewers, double Frames, double Dropped, double Bytes);

    private static readonly Column<Sample>[] Columns =
    [
        new("wall", (json, s) => json.WriteMeasure(s.Wall)),
        new("processor", (json, s) => json.WriteMeasure(s.Processor)),
        new("resident", (json, s) => json.WriteNumberValue(s.Resident)),
        new("managed", (json, s) => json.WriteNumberValue(s.Managed)),
        new("collections", (json, s) => json.WriteNumberValue(s.Collections)),
        new("threads", (json, s) => json.WriteNumberValue(s.Threads)),
        new("queue", (json, s) => json.WriteNumberValue(s.Queue)),
        new("viewers", (json, s) => json.WriteNumberValue(s.Viewers)),
        new("frames", (json, s) => json.WriteMeasure(s.Frames)),
        new("dropped", (json, s) => json.WriteMeasure(s.Dropped)),
        new("bytes", (json, s) => json.WriteMeasure(s.Bytes)),
    ];

    /// <summary>The silos of the cluster that this process is one of; none when it is alone.</summary>
    public Func<IReadOnlyList<SiloFacts>> Silos { get; set; } = static () => [];

    public void Write(Utf8JsonWriter json, long after)
    {
        var silos = Silos();
        lock (gate)
        {
            json.WriteStartObject();
            json.WriteNumber("cores", Environment.ProcessorCount);
            json.WriteString("runtime", System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription);
            json.WriteString("system", System.Runtime.InteropServices.RuntimeInformation.OSDescription);
            json.WriteNumber("memory", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
            json.WriteStartArray("silos");
            foreach (var silo in silos)
            {
                json.WriteStartObject();
                json.WriteString("name", silo.Name);
                json.WriteString("address", silo.Address);
                json.WriteString("status", silo.Status);
                json.WriteNumber("runs", silo.Runs);
                json.WriteBoolean("isHere", silo.IsHere);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WritePropertyName("samples");
            json.WriteSlice(samples.Read(after, int.MaxValue, newest: false), Columns);
            json.WriteEndObject();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = clock.GetTimestamp();
        var (lastAt, lastProcessor, lastFrames, lastDropped, lastBytes) = (started, Environment.CpuUsage.TotalTime, 0L, 0L, 0L);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = clock.GetTimestamp();
                var seconds = Math.Max(1e-3, clock.GetElapsedTime(lastAt, now).TotalSeconds);
                var processor = Environment.CpuUsage.TotalTime;
                var (frames, dropped, bytes) = (feeds.Traffic.Frames, feeds.Traffic.Dropped, feeds.Traffic.Bytes);
                var sample = new Sample(
                    clock.GetElapsedTime(started, now).TotalSeconds,
                    (processor - lastProcessor).TotalSeconds / seconds,
                    Environment.WorkingSet,
                    GC.GetTotalMemory(forceFullCollection: false),
                    GC.CollectionCount(0),
                    ThreadPool.ThreadCount,
                    ThreadPool.PendingWorkItemCount,
                    feeds.Traffic.Viewers,
                    (frames - lastFrames) / seconds,
                    (dropped - lastDropped) / seconds,
                    (bytes - lastBytes) / seconds);
                (lastAt, lastProcessor, lastFrames, lastDropped, lastBytes) = (now, processor, frames, dropped, bytes);
                lock (gate)
                {
                    samples.Append(sample);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host ends.
        }
    }
}
