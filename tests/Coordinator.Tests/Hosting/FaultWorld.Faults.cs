using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;

namespace Federated.Coordinator.Tests.Hosting;

/// <content>What goes wrong, and how the coordinator comes back.</content>
internal sealed partial class FaultWorld
{
    /// <summary>Whatever may go wrong beside the requests themselves.</summary>
    private async Task DisturbAsync()
    {
        time.Advance(random.NextDouble() * (scheduler == WholeCohort ? 1 : 4));
        if (isCalm)
        {
            return;
        }

        switch (random.NextInt(60))
        {
            case 0:
                disk.CrashIn = random.NextInt(30);
                break;
            case 1:
                await CrashAsync();
                break;
            case 2:
                disk.Capacity = 0;
                Counts.FullDisks++;
                break;
            case 3:
                time.Jump(TimeSpan.FromSeconds((random.NextDouble() - 0.5) * 7200));
                Counts.ClockJumps++;
                break;
            case 4:
                var slow = random.NextDouble() * 3;
                disk.BeforeSync = () =>
                {
                    time.Advance(slow);
                    Counts.SlowSyncs++;
                };
                break;
            case 5:
                disk.BeforeSync = null;
                break;
            case 6:
                await AskAsync(async h => (await h.SaveAsync()).Outcome);
                break;
            case 7:
                await SweepAsync();
                break;
            default:
                disk.Capacity = disk.Capacity == 0 && random.NextInt(3) == 0 ? long.MaxValue : disk.Capacity;
                break;
        }
    }

    /// <summary>Asks the coordinator, restarting its machine if it is down; the answer may be that it could not be asked.</summary>
    private async Task<T> AskAsync<T>(Func<RunHost, Task<T>> request, bool settle = true)
    {
        Counts.Requests++;
        for (var tries = 0; ; tries++)
        {
            Assert.True(tries < 1000, $"Schedule {Seed}: no answer; the host is {host?.View.Host}: {host?.View.Problem}");
            try
            {
                if (disk.IsDown || host is not { View.Host: HostState.Open })
                {
                    await RecoverAsync();
                }

                if (host is not { } present)
                {
                    continue; // It crashed while it opened.
                }

                var result = await request(present);
                if (settle)
                {
                    await SettleAsync();
                }

                return result;
            }
            catch (CrashException)
            {
                // The client's own call met it; the next try restarts.
            }
            catch (StorageException) when (!isCalm)
            {
                disk.Capacity = long.MaxValue; // The upload did not fit: somebody makes room.
            }
        }
    }

    /// <summary>Waits until the loop has nothing more to do of itself, so that the next request finds a quiet host.</summary>
    private async Task SettleAsync()
    {
        for (var i = 0; i < 2 && host is { } present; i++)
        {
            await present.AskAsync(_ => "");
        }
    }

    private async Task RecoverAsync()
    {
        await recovering.WaitAsync();
        try
        {
            if (disk.IsDown || host is not { View.Host: HostState.Open })
            {
                await RecoverAloneAsync();
            }
        }
        finally
        {
            recovering.Release();
        }
    }

    private async Task RecoverAloneAsync()
    {
        if (disk.IsDown || host is null || host.View.Host is HostState.Failed or HostState.Closed or HostState.Fenced)
        {
            await CrashAsync();
            await OpenAsync();
            return;
        }

        doing = "waiting for the host to open again";

        // The disk is full, or was a moment ago: somebody makes room, and the host opens the run again by itself.
        disk.Capacity = long.MaxValue;
        while (host.View.Host == HostState.Opening && !disk.IsDown) // Whoever plays the schedule sees when it stands still.
        {
            time.Advance(1);
            await Task.Yield();
        }
    }

    private async Task CrashAsync()
    {
        doing = "crashing";
        process.Kill();
        if (host is not null)
        {
            await host.DisposeAsync();
            host = null;
            Counts.Crashes++;
        }

        disk.Restart();
        process = new MortalFileSystem(disk);
        doing = "crashed";
    }

    private async Task OpenAsync()
    {
        disk.Capacity = long.MaxValue;
        disk.CrashIn = !isCalm && !isOver && random.NextInt(4) == 0 ? random.NextInt(200) : -1;
        var durability = new DurabilityOptions { ReplayBytes = 1 << (11 + random.NextInt(8)), ReplaySeconds = 30, InlineBytes = random.NextInt(2) * 65536, VersionsInMemory = random.NextInt(3) > 0 };
        store = new FileStore(process);
        var options = new RunHostOptions { Durability = durability, GroupSize = 1 + random.NextInt(8) };
        using var giveUp = new CancellationTokenSource();
        doing = "opening";
        var opening = RunHost.OpenAsync(
            new RunEntry("run", createdAt, ReadOnlyMemory<byte>.Empty, null), this, store, new MemoryBlobs(), time, options, giveUp.Token);
        while (!opening.IsCompleted)
        {
            if (disk.IsDown)
            {
                await giveUp.CancelAsync(); // It crashed while it opened; whoever wants something will start it again.
            }

            time.Advance(0.05); // The host pauses between two attempts.
            await Task.Yield();
        }

        try
        {
            host = await opening;
            doing = "open";
        }
        catch (OperationCanceledException)
        {
            Counts.Crashes++;
        }
    }

    private async Task SweepAsync() => await AskAsync(async h => await store.Blobs.SweepAsync(
        async () => await h.ReferencedBlobsAsync() ?? throw new StorageException("The run is not open: nothing may be swept."), default));
}
