using System.Runtime.CompilerServices;
using Federated.Coordinator.Hosting;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Http;

/// <summary>Writes into the log what becomes of runs that cannot be served, once for each change: whoever operates them may look nowhere else.</summary>
internal sealed partial class RunWatch : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private readonly Func<IEnumerable<IRun>> runs;
    private readonly ILogger logger;
    private readonly ConditionalWeakTable<IRun, Told> told = [];
    private readonly Lock gate = new();
    private readonly ITimer timer;

    public RunWatch(Func<IEnumerable<IRun>> runs, TimeProvider clock, ILogger logger)
    {
        (this.runs, this.logger) = (runs, logger);
        Look();
        timer = clock.CreateTimer(_ => Look(), null, Every, Every);
    }

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private void Look()
    {
        lock (gate)
        {
            foreach (var run in runs())
            {
                var (view, last) = (run.View, told.GetOrCreateValue(run));
                if (last.State == view.Host)
                {
                    continue;
                }

                switch (view.Host)
                {
                    case HostState.Damaged or HostState.Failed:
                        LogUnreadable(logger, run.Entry.Id, view.Host, view.Problem);
                        break;
                    case HostState.Opening when view.Problem.Length > 0:
                        LogOpening(logger, run.Entry.Id, view.Problem);
                        break;
                    case HostState.Opening:
                        continue; // It has not been tried yet.
                    case HostState.Open when last.State == HostState.Opening:
                        LogMended(logger, run.Entry.Id);
                        break;
                }

                last.State = view.Host;
            }
        }
    }

    [LoggerMessage(20, LogLevel.Error, "Run {Run} is {State} and not served; the other runs are. {Problem}")]
    private static partial void LogUnreadable(ILogger logger, string run, HostState state, string problem);

    [LoggerMessage(21, LogLevel.Warning, "Run {Run} cannot be asked, and is opened again and again until its store is well: {Problem}")]
    private static partial void LogOpening(ILogger logger, string run, string problem);

    [LoggerMessage(22, LogLevel.Information, "Run {Run} is open again.")]
    private static partial void LogMended(ILogger logger, string run);

    private sealed class Told
    {
        public HostState State { get; set; } = HostState.Open;
    }
}
