using System.Collections.Concurrent;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting.Conformance;

/// <summary>Clients that take part until the run is over, repeat what was not answered, and remember what was acknowledged.</summary>
internal sealed class TestClients(ITestHosts hosts, string run)
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    /// <summary>Assignments whose update was acknowledged as counted.</summary>
    public ConcurrentBag<AssignmentId> Taken { get; } = [];

    public ConcurrentBag<string> Refusals { get; } = [];

    /// <summary>Requests that a host did not answer, and that were sent again.</summary>
    public int Repeated;

    /// <param name="repeatEvery">Every so many updates one is sent twice on purpose; 0 for none.</param>
    public Task RunAsync(int count, int repeatEvery) => Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => RunOneAsync($"client-{i:d4}", repeatEvery))));

    private async Task RunOneAsync(string name, int repeatEvery)
    {
        var sent = 0;
        for (;;)
        {
            var host = await ReachAsync();
            if (await host.JoinAsync(name) is not (HostOutcome.Done, var client))
            {
                await PauseAsync();
                continue;
            }

            switch (await host.CheckInAsync(client, Wait))
            {
                case Granted granted:
                    var submission = TestFactory.Submission(granted.Assignment);
                    await SubmitAsync(submission);
                    if (repeatEvery > 0 && ++sent % repeatEvery == 0)
                    {
                        await SubmitAsync(submission);
                    }

                    break;
                case RunOver:
                    return;
                case NotAsked:
                    await PauseAsync();
                    break;
            }
        }
    }

    private async Task SubmitAsync(UpdateSubmission submission)
    {
        for (;;)
        {
            switch (await (await ReachAsync()).SubmitAsync(submission))
            {
                case UpdateTaken:
                    Taken.Add(submission.Assignment);
                    return;
                case UpdateRefused refused:
                    Refusals.Add($"{submission.Assignment}: {refused.Reason}");
                    return;
                case UpdateNotAsked:
                    await PauseAsync();
                    break;
                case var other:
                    throw new InvalidOperationException($"{submission.Assignment}: {other}");
            }
        }
    }

    private async Task<ITestRun> ReachAsync()
    {
        for (;;)
        {
            if (await hosts.FindAsync(run) is { } found)
            {
                return found;
            }

            await PauseAsync();
        }
    }

    private Task PauseAsync()
    {
        Interlocked.Increment(ref Repeated);
        return Task.Delay(5);
    }

    /// <summary>The parameters of a version, as the store holds them.</summary>
    public static async Task<double[]> ModelAsync(RunView view, IBlobStore blobs)
    {
        var values = new double[TestFactory.Parameters];
        await using var stream = await blobs.OpenAsync(view.Versions[view.Version].Model, default);
        Federated.Aggregation.Parameters.SafetensorsReader.Open(stream).Read<double>(TestFactory.Layout, values);
        return values;
    }
}
