using Federated.Simulation;

namespace Federated.Cli.Dashboard;

/// <summary>The dashboard beside a run of this command: started before it, kept after it until Ctrl-C.</summary>
internal sealed class DashboardSession : IDisposable
{
    private const string RunId = "run";

    private readonly Terminal terminal;
    private readonly DashboardHost host;

    private DashboardSession(Terminal terminal, DashboardHost host, SimulationFeed feed) => (this.terminal, this.host, Feed) = (terminal, host, feed);

    public SimulationFeed Feed { get; }

    /// <param name="port">0 for a free one.</param>
    /// <param name="pace">At most so many virtual seconds per real second; 0 for as fast as it goes.</param>
    public static DashboardSession Start(Terminal terminal, Experiment experiment, int port, double pace)
    {
        var host = DashboardHost.StartAsync(port, terminal.Clock).GetAwaiter().GetResult();
        var feed = new SimulationFeed(experiment, RunId, terminal.Clock, pace, terminal.Interrupted);
        host.Feeds.Add(feed.Feed, feed);
        Announce(terminal, host, $"/runs/{RunId}");
        return new DashboardSession(terminal, host, feed);
    }

    /// <summary>Says where the pages are; on stderr, so that stdout stays the command's result.</summary>
    public static void Announce(Terminal terminal, DashboardHost host, string page)
    {
        if (!host.IsBuilt)
        {
            terminal.Error.WriteLine("This build has no dashboard pages: Node.js 20.19 or later was not there when it was built. Install it and run the command again.");
        }

        terminal.Error.WriteLine($"Dashboard: {host.OperatorLink(page)}");
        terminal.Error.WriteLine($"To look only: {host.ViewerLink(page)}");
    }

    /// <summary>Keeps the pages open until Ctrl-C.</summary>
    public static void Stay(Terminal terminal)
    {
        terminal.Error.WriteLine("The dashboard stays open; Ctrl-C ends it.");
        terminal.Interrupted.WaitHandle.WaitOne();
    }

    public void StayOpen()
    {
        if (!terminal.Interrupted.IsCancellationRequested)
        {
            Stay(terminal);
        }
    }

    public void Dispose()
    {
        host.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Feed.Dispose();
    }
}
