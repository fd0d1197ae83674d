using System.Security.Cryptography;
using System.Threading.Channels;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Batches;
using Federated.Shuffler.Delivery;
using Federated.Shuffler.Storage;

namespace Federated.Shuffler;

/// <summary>
/// A shuffler without its network: reports of many threads meet in one mailbox, those that wait while others are at the disk share the next sync,
/// and what is closed is sent until somebody has it.
/// </summary>
/// <remarks>
/// When the disk fails, or anything else, those who wait are told to come back, and the book is opened again from what the disk has, which is made
/// durable first; until that succeeds nothing is taken, and <see cref="IsReady"/> is false.
/// </remarks>
public sealed partial class ShufflerService : IShuffler
{
    private const int GroupSize = 4096, MailboxCapacity = 1 << 16, DeliveriesAtOnce = 4;
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private readonly IDisk disk;
    private readonly ECDsa key;
    private readonly BatchRules rules;
    private readonly IDestination destination;
    private readonly TimeProvider clock;
    private readonly TimeSpan firstRetry;
    private readonly IRandomSource random;
    private readonly Channel<Item> mailbox = Channel.CreateBounded<Item>(new BoundedChannelOptions(MailboxCapacity) { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim deliveries = new(DeliveriesAtOnce);
    private readonly Dictionary<string, Task> delivering = new(StringComparer.Ordinal);
    private readonly ITimer timer;
    private readonly Task loop;
    private BatchBook? book;

    private ShufflerService(IDisk disk, ECDsa key, BatchRules rules, IDestination destination, TimeProvider clock, TimeSpan firstRetry, IRandomSource random)
    {
        (this.disk, this.key, this.rules, this.destination, this.clock, this.firstRetry, this.random) = (disk, key, rules, destination, clock, firstRetry, random);
        timer = clock.CreateTimer(static s => ((ShufflerService)s!).mailbox.Writer.TryWrite(new Item()), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        book = OpenBook();
        loop = Task.Run(LoopAsync);
    }

    /// <summary>What is told to the outside: totals as of the last batch that was over.</summary>
    public ShufflerTotals Totals { get; private set; } = new(0, 0, 0, 0);

    /// <summary>Why the last delivery failed; empty when it did not.</summary>
    public string Trouble { get; private set; } = "";

    /// <summary>Whether reports can be taken now.</summary>
    public bool IsReady => Volatile.Read(ref book) is not null && !stopping.IsCancellationRequested;

    /// <summary>Opens the book and goes on where it stood.</summary>
    /// <exception cref="ShufflerException">What is on the disk is not a shuffler's.</exception>
    public static ShufflerService Start(IDisk disk, ECDsa key, BatchRules rules, IDestination destination, TimeProvider clock, TimeSpan firstRetry)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return new ShufflerService(disk, key, rules, destination, clock, firstRetry, new CryptographicRandom());
    }

    /// <summary>With permutations of another source: a test shows by one that leaves the order as it is what the order is worth.</summary>
    internal static ShufflerService Start(IDisk disk, ECDsa key, BatchRules rules, IDestination destination, TimeProvider clock, TimeSpan firstRetry, IRandomSource random) =>
        new(disk, key, rules, destination, clock, firstRetry, random);

    /// <summary>Takes a report; it is durable when this returns an outcome.</summary>
    /// <returns>Null when it cannot be taken now.</returns>
    public Task<ReportOutcome?> TakeAsync(HeldReport report)
    {
        var item = new ReportItem(report);
        return mailbox.Writer.TryWrite(item) ? item.Task : Task.FromResult<ReportOutcome?>(null);
    }

    /// <summary>Takes a batch that the shuffler before this one closed.</summary>
    /// <returns>Whether it was new; null when it cannot be taken now.</returns>
    /// <exception cref="ShufflerException">It is too small.</exception>
    public Task<bool?> TakeBatchAsync(string id, ShuffleTicket terms, IReadOnlyList<HeldReport> reports)
    {
        var item = new BatchItem(id, terms, reports);
        return mailbox.Writer.TryWrite(item) ? item.Task : Task.FromResult<bool?>(null);
    }

    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        mailbox.Writer.TryComplete();
        await loop.ConfigureAwait(false);
        await Task.WhenAll(delivering.Values).ConfigureAwait(false);
        await timer.DisposeAsync().ConfigureAwait(false);
        book?.Dispose();
        (random as IDisposable)?.Dispose();
        deliveries.Dispose();
        stopping.Dispose();
    }

    private BatchBook OpenBook() => BatchBook.Open(disk, key, rules, clock, random);

    private async Task LoopAsync()
    {
        List<Item> group = [];
        StartDeliveries();
        SetTimer();
        while (await mailbox.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            group.Clear();
            while (group.Count < GroupSize && mailbox.Reader.TryRead(out var item))
            {
                group.Add(item);
            }

            try
            {
                Handle(book ??= OpenBook(), group);
            }
            catch (Exception e)
            {
                Trouble = e is IOException or UnauthorizedAccessException ? $"The disk failed: {e.Message}" : $"Reports could not be taken: {e}";
                book?.Dispose();
                book = null;
                foreach (var item in group)
                {
                    item.Refuse();
                    if (item is FinishedItem finished)
                    {
                        delivering.Remove(finished.Batch.Id); // It may still lie here: then it is sent again, and counts once.
                    }
                }

                timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
                continue;
            }

            StartDeliveries();
            SetTimer();
        }
    }

    private void Handle(BatchBook book, List<Item> group)
    {
        var reports = group.OfType<ReportItem>().ToList();
        if (reports.Count > 0)
        {
            var outcomes = book.Take(reports.ConvertAll(item => item.Report));
            for (var i = 0; i < outcomes.Length; i++)
            {
                reports[i].Answer(outcomes[i]);
            }
        }

        foreach (var item in group)
        {
            switch (item)
            {
                case BatchItem batch:
                    try
                    {
                        batch.Answer(book.TakeBatch(batch.Id, batch.Terms, batch.Reports));
                    }
                    catch (ShufflerException e)
                    {
                        batch.Fail(e);
                    }

                    break;
                case FinishedItem finished:
                    var over = finished.Batch;
                    book.Finish(over.Id);
                    delivering.Remove(over.Id);
                    Totals = new ShufflerTotals(
                        Totals.Batches + (over.Reports > 0 ? 1 : 0), Totals.Dropped + (over.Reports > 0 ? 0 : 1), Totals.Reports + over.Reports, Totals.Erased + over.Erased);
                    break;
            }
        }

        book.EndWindows();
    }

    private void SetTimer()
    {
        if (book?.NextWindowEnd is { } end)
        {
            var wait = TimeSpan.FromMilliseconds(Math.Clamp(end - clock.GetUtcNow().ToUnixTimeMilliseconds(), 1, 86_400_000));
            timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    private void StartDeliveries()
    {
        foreach (var batch in book?.Outbox ?? [])
        {
            if (!stopping.IsCancellationRequested && !delivering.ContainsKey(batch.Id))
            {
                delivering.Add(batch.Id, Task.Run(() => DeliverAsync(batch)));
            }
        }
    }

    private async Task DeliverAsync(ClosedBatch batch)
    {
        try
        {
            for (var wait = firstRetry; ; wait = wait * 2 < LongestRetry ? wait * 2 : LongestRetry)
            {
                await deliveries.WaitAsync(stopping.Token).ConfigureAwait(false);
                Delivered delivered;
                try
                {
                    delivered = await destination.SendAsync(batch, stopping.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (!stopping.IsCancellationRequested)
                {
                    delivered = new Delivered(DeliveryOutcome.Later, e is IOException ? e.Message : e.ToString()); // Whatever it is: a batch that nobody sends is lost.
                }
                finally
                {
                    deliveries.Release();
                }

                Trouble = delivered.Reason;
                if (delivered.Outcome != DeliveryOutcome.Later)
                {
                    await mailbox.Writer.WriteAsync(new FinishedItem(batch), stopping.Token).ConfigureAwait(false);
                    return;
                }

                await Task.Delay(wait, clock, stopping.Token).ConfigureAwait(false);
            }
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // The next start sends it again.
        }
    }

    private class Item
    {
        public virtual void Refuse()
        {
        }
    }

    private class Item<T> : Item
        where T : struct
    {
        private readonly TaskCompletionSource<T?> source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T?> Task => source.Task;

        public void Answer(T answer) => source.TrySetResult(answer);

        public void Fail(Exception e) => source.TrySetException(e);

        public override void Refuse() => source.TrySetResult(null);
    }

    private sealed class ReportItem(HeldReport report) : Item<ReportOutcome>
    {
        public HeldReport Report => report;
    }

    private sealed class BatchItem(string id, ShuffleTicket terms, IReadOnlyList<HeldReport> reports) : Item<bool>
    {
        public string Id => id;

        public ShuffleTicket Terms => terms;

        public IReadOnlyList<HeldReport> Reports => reports;
    }

    private sealed class FinishedItem(ClosedBatch batch) : Item
    {
        public ClosedBatch Batch => batch;
    }
}

/// <summary>What a shuffler has done, counted when a batch is over: between batches the numbers stand still, so that nobody learns from them when a report came.</summary>
/// <param name="Batches">Batches that left.</param>
/// <param name="Dropped">Batches that were too small.</param>
/// <param name="Reports">Reports that left.</param>
/// <param name="Erased">Reports that were erased with their batches.</param>
public sealed record ShufflerTotals(long Batches, long Dropped, long Reports, long Erased);
