using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>A store whose next append fails, once told how.</summary>
internal sealed class FalteringStore(IStore store) : IStore
{
    /// <summary>What the next append throws; null when it is to go well.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The logs that <see cref="LoadFailure"/> is for.</summary>
    public Func<string, bool> Affected { get; set; } = _ => true;

    /// <summary>What every loading of a log throws; null when it is to go well.</summary>
    public Exception? LoadFailure { get; set; }

    /// <summary>Awaited before a snapshot is saved: a slow store waits here.</summary>
    public Func<Task> BeforeSnapshot { get; set; } = () => Task.CompletedTask;

    /// <summary>Times that a log was opened.</summary>
    public int LogsOpened { get; private set; }

    public IBlobStore Blobs => store.Blobs;

    public IDocumentStore Documents => store.Documents;

    public IRunLog OpenLog(string run)
    {
        LogsOpened++;
        return new Log(this, store.OpenLog(run), run);
    }

    public ValueTask DeleteLogAsync(string run, CancellationToken cancellation) => store.DeleteLogAsync(run, cancellation);

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private sealed class Log(FalteringStore owner, IRunLog log, string run) : IRunLog
    {
        public long NextSequence => log.NextSequence;

        public ValueTask<RunHistory> LoadAsync(CancellationToken cancellation) => owner.LoadFailure is { } failure && owner.Affected(run) ? throw failure : log.LoadAsync(cancellation);

        public ValueTask AppendAsync(long expected, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken cancellation)
        {
            if (owner.Failure is not { } failure)
            {
                return log.AppendAsync(expected, records, cancellation);
            }

            owner.Failure = null;
            throw failure;
        }

        public async ValueTask SaveSnapshotAsync(long sequence, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation)
        {
            await owner.BeforeSnapshot();
            await log.SaveSnapshotAsync(sequence, snapshot, cancellation);
        }

        public ValueTask DisposeAsync() => log.DisposeAsync();
    }
}
