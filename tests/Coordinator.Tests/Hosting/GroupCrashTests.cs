using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>The coordinator dies at every file operation of three groups, one after the other: each counts once and whole.</summary>
public sealed class GroupCrashTests
{
    private const int Cohort = 4, Rounds = 3;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhateverTheOperationAtWhichItDiesAGroupCountsOnceAndWhole(bool isInline)
    {
        var undisturbed = await PlayAsync(-1, isInline);
        Assert.Equal(0, undisturbed.Crashes);
        var deaths = 0;
        for (var operation = 0; operation < undisturbed.Operations; operation++)
        {
            var world = await PlayAsync(operation, isInline);
            Assert.True(world.Model.AsSpan().SequenceEqual(undisturbed.Model), $"Dead at operation {operation}, the model was {string.Join(' ', world.Model)}.");
            Assert.Equal(undisturbed.Answers, world.Answers);
            deaths += world.Crashes;
        }

        Assert.InRange(deaths, undisturbed.Operations - 1, 2 * undisturbed.Operations);
    }

    private sealed record World(double[] Model, List<string> Answers, int Crashes, long Operations);

    private static async Task<World> PlayAsync(long crashAt, bool isInline)
    {
        var disk = new FaultyFileSystem((ulong)crashAt + 7) { CrashIn = crashAt };
        List<string> answers = [];
        var (crashes, version) = (0, 0);
        DurableRun? run = null;
        TestFactory factory = new() { Versions = 100 };
        await InsistAsync(r => PostAsync(r, new RunStarted(0)));
        for (var i = 0; i < Cohort; i++)
        {
            await InsistAsync(r => PostAsync(r, new ClientJoined(0, new ClientId(i), 10)));
        }

        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < Cohort; i++)
            {
                await InsistAsync(r => PostAsync(r, new CheckIn(round, new ClientId(i))));
            }

            version = run!.Machine.Version;
            List<Assignment> leases = [.. run.Machine.Assignments.OrderBy(a => a.Id)];
            Assert.Equal(Cohort, leases.Count);
            await InsistAsync(async r =>
            {
                // All of the group or none, whenever it died.
                Assert.Contains(r.Machine.Assignments.Count, (int[])[0, Cohort]);
                var submissions = leases.Select(l => TestFactory.Submission(l)).ToList();
                List<InlineBlob> inline = isInline ? [.. submissions.SelectMany(s => s.Inline)] : [];
                var blobs = new FileBlobStore(disk, "blobs");
                foreach (var (reference, bytes) in isInline ? [] : submissions.SelectMany(s => s.Inline))
                {
                    await using var blob = await blobs.CreateAsync(default);
                    await blob.WriteAsync(bytes, default);
                    await blob.CommitAsync(reference, default);
                }

                var group = new GroupArrived(round, $"version {round}", [.. submissions.Select(s => new UpdateArrived(round, s.Assignment, s.Client, s.Report, false))]);
                var effects = (await r.PostAsync([new LoggedEvent(group, "", inline)], default))[0];
                var settled = effects.OfType<GroupSettled>().Single();
                answers.Add($"{settled.Group}: {string.Join(' ', settled.Members)}");
            });
            Assert.Equal(version + 1, run.Machine.Version);
        }

        var model = factory.Last!.State.Current.Parameters;
        await run!.DisposeAsync();
        return new World(model, answers, crashes, disk.Operations);

        async Task InsistAsync(Func<DurableRun, Task> request)
        {
            while (true)
            {
                try
                {
                    if (run is null)
                    {
                        var store = new FileBlobStore(disk, "blobs");
                        run = await DurableRun.OpenAsync(
                            factory.Create(TestFactory.Synchronous(Cohort), store), new FileRunLog(disk, "run"), store, new MemoryBlobs(), new DurabilityOptions { ReplayBytes = 4096 }, default);
                    }

                    await PassDeadlinesAsync(run, run.Recovered);
                    await request(run);
                    return;
                }
                catch (Exception e) when (e is CrashException || e.InnerException is CrashException)
                {
                    crashes++;
                    run = null;
                    disk.Restart();
                }
            }
        }
    }

    private static async Task PostAsync(DurableRun run, RunEvent e) => await PassDeadlinesAsync(run, (await run.PostAsync([new LoggedEvent(e)], default))[0]);

    /// <summary>What schedulers arm for this very instant.</summary>
    private static async Task PassDeadlinesAsync(DurableRun run, IReadOnlyList<RunEffect> effects)
    {
        foreach (var arm in effects.OfType<ArmDeadline>().Where(arm => arm.Time <= run.Machine.Now && run.Machine.Matters(arm.Deadline)))
        {
            await run.PostAsync([new LoggedEvent(new DeadlinePassed(arm.Time, arm.Deadline))], default);
        }
    }
}
