using System.Collections.Immutable;
using System.Threading.Channels;
using Federated.Coordinator.Analytics;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.SecureAggregation;
using Federated.Coordinator.Storage;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// Hosts one run against the wall clock: requests of many threads meet in one mailbox, those that wait while a group is at the disk become
/// the next group with one sync for all, and what the run decides is delivered after it is durable.
/// </summary>
/// <remarks>
/// Everything a client may have to repeat is safe to repeat. Back-pressure, storage failures and closing are values, not exceptions. When
/// the store fails, the requests of the group are told so and the run is opened again from its log. All that is read without asking
/// (<see cref="View"/>, members, versions) is lock-free. The host holds no strategy: it restamps events with its clock and passes them on.
/// </remarks>
public sealed partial class RunHost : IRun, IAsyncDisposable
{
    private readonly IRunFactory factory;
    private readonly IStore store;
    private readonly MemoryBlobs memory;
    private readonly TimeProvider clock;
    private readonly RunHostOptions options;
    private readonly Channel<Item> mailbox = Channel.CreateUnbounded<Item>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource leaving = new();
    private readonly ITimer timer;
    private readonly TaskCompletionSource attempted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task loop;
    private ImmutableArray<RunFeed> feeds = [];
    private volatile RunView view = new() { Host = HostState.Opening };
    private volatile RunParts? facts;
    private volatile Members members = new();
    private volatile History history = new();
    private volatile Lobby? lobby;
    private volatile bool isWatched;
    private SecureIntake? secureSum;
    private int depth;

    private RunHost(RunEntry entry, IRunFactory factory, IStore store, MemoryBlobs memory, TimeProvider clock, RunHostOptions options)
    {
        (Entry, this.factory, this.store, this.memory, this.clock, this.options) = (entry, factory, store, memory, clock, options);
        timer = clock.CreateTimer(static host => ((RunHost)host!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        loop = Task.Run(LoopAsync);
    }

    public RunEntry Entry { get; }

    /// <summary>The run as of its last group of events.</summary>
    public RunView View => view;

    /// <summary>What the configuration says of the run: layout, training plan, codec, limits. Its machine and model are the loop's.</summary>
    /// <exception cref="CoordinatorException">The run has never been open: <see cref="View"/> says why.</exception>
    public RunParts Parts => facts ?? throw new CoordinatorException($"Run '{Entry.Id}' is not open: {view.Problem}");

    /// <summary>The evaluations so far, oldest first; grows, never changes.</summary>
    public IReadOnlyList<MetricPoint> Metrics => history.Points;

    /// <summary>What each client reported in the last evaluation by clients.</summary>
    public IReadOnlyList<ClientScore> LastScores => history.LastScores;

    /// <summary>How the run's ledger stands, with the clients that were charged most often; nothing without privacy, or while the run is not open.</summary>
    public async Task<RunSpending> SpendingAsync(int count) => await AskAsync(run => run.Parts.Sections.OfType<IPrivacyLedger>().FirstOrDefault() is { } ledger
        ? new RunSpending(ledger.Course, ledger.ClientsCharged, ledger.Nearest(count))
        : RunSpending.Nothing).ConfigureAwait(false) ?? RunSpending.Nothing;

    /// <summary>Opens a run and starts its loop.</summary>
    /// <returns>When the run is open, or has failed for good: its <see cref="View"/> says which.</returns>
    public static Task<RunHost> OpenAsync(
        RunEntry entry, IRunFactory factory, IStore store, MemoryBlobs memory, TimeProvider clock, RunHostOptions options, CancellationToken cancellation) =>
        StartAsync(entry, factory, store, memory, clock, options, untilOpen: true, cancellation);

    /// <param name="untilOpen">Whether to wait while the store fails; otherwise the host is returned after its first attempt, and goes on trying.</param>
    internal static async Task<RunHost> StartAsync(
        RunEntry entry, IRunFactory factory, IStore store, MemoryBlobs memory, TimeProvider clock, RunHostOptions options, bool untilOpen, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var host = new RunHost(entry, factory, store, memory, clock, options);
        try
        {
            await (untilOpen ? host.opened : host.attempted).Task.WaitAsync(cancellation).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The number that a client of the registry has in this run; null before it joined.</summary>
    public ClientId? Find(string member) => members.Find(member);

    /// <inheritdoc/>
    public ValueTask<ClientId?> FindAsync(string member, CancellationToken cancellation) => ValueTask.FromResult(Find(member));

    /// <inheritdoc/>
    public ValueTask<RunView> LookAsync(CancellationToken cancellation) => ValueTask.FromResult(view);

    /// <summary>The run's sessions of secure aggregation; null in a run that takes updates one by one, and before it was ever open.</summary>
    public SecureIntake? SecureSum
    {
        get
        {
            if (secureSum is null && facts?.SecureSum is { } sums)
            {
                // Of two threads that come first one keeps an intake that nobody joins: it holds nothing, and its timer does not run.
                Interlocked.CompareExchange(ref secureSum, new SecureIntake(this, sums, store.Blobs, clock), null);
            }

            return secureSum;
        }
    }

    ISecureSums? IRun.SecureSums => SecureSum;

    /// <inheritdoc/>
    public ValueTask<AnalysisMessage?> AnalysisAsync(CancellationToken cancellation) => ValueTask.FromResult(facts?.Sections.OfType<IAnalysisOutcome>().FirstOrDefault()?.Outcome?.ToMessage());

    /// <summary>Clients that wait for the others before they are numbered.</summary>
    public int LobbyCount => lobby?.Count ?? 0;

    /// <summary>
    /// In a run that counts its clients: waits until all of them are there. Then they are numbered in the ordinal order of their names, so that
    /// the same clients have the same numbers however they came.
    /// </summary>
    /// <param name="name">What the client is called.</param>
    /// <returns>How many are still missing; 0 when the client may join.</returns>
    public ValueTask<int> EnterAsync(string member, string name, double examples, TimeSpan wait, CancellationToken cancellation)
    {
        if (facts?.ExpectedClients is not > 0 || view.Clients >= facts.ExpectedClients)
        {
            return ValueTask.FromResult(0);
        }

        var made = lobby ?? Interlocked.CompareExchange(ref lobby, new Lobby(this, facts.ExpectedClients, clock), null) ?? lobby;
        return made!.EnterAsync(member, name, examples, wait, cancellation);
    }

    /// <summary>What a client is called in the registry; empty when it has no name.</summary>
    public string NameOf(ClientId client) => members.TryGetName(client, out var name) ? name : "";

    /// <summary>Enrols a client of the registry in this run; a second time only tells its examples.</summary>
    /// <param name="examples">n_i; 0 when unknown.</param>
    public Task<(HostOutcome Outcome, ClientId Client, TimeSpan RetryAfter)> JoinAsync(string member, double examples)
    {
        ArgumentException.ThrowIfNullOrEmpty(member);
        return JoinAsAsync(member, examples, number: null);
    }

    /// <param name="number">The number that the client must get when it has none yet; otherwise it is told to come again.</param>
    internal Task<(HostOutcome Outcome, ClientId Client, TimeSpan RetryAfter)> JoinAsAsync(string member, double examples, int? number)
    {
        var item = new JoinItem(member, examples, number);
        Post(item);
        return item.Task;
    }

    /// <summary>Makes an event durable and lets the run handle it. The host sets its time.</summary>
    /// <remarks>For joins, check-ins and updates there are methods of their own.</remarks>
    public Task<Posted> PostAsync(RunEvent runEvent)
    {
        ArgumentNullException.ThrowIfNull(runEvent);
        if (runEvent is ClientJoined or CheckIn or UpdateArrived or GroupArrived)
        {
            throw new ArgumentException($"{runEvent.GetType().Name} has its own method.", nameof(runEvent));
        }

        var item = new EventItem(runEvent);
        Post(item);
        return item.Task;
    }

    /// <summary>Pauses, resumes or stops the run.</summary>
    public Task<Posted> CommandAsync(OperatorAction action, string reason) => PostAsync(new OperatorCommand(0, action, reason));

    /// <summary>A client gives its assignment up.</summary>
    public Task<Posted> FailAsync(AssignmentId assignment, ClientId client, string reason) => PostAsync(new AssignmentFailed(0, assignment, client, reason));

    /// <summary>
    /// A client is available. Answered when there is work or nothing to wait for, at the latest after <paramref name="wait"/>; a client that
    /// holds an assignment is given it again.
    /// </summary>
    /// <remarks>
    /// A client that got nothing keeps its place for <see cref="RunHostOptions.AbsenceGrace"/>, so that the next poll costs no event. A
    /// newer check-in of the same client ends the older one.
    /// </remarks>
    public Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        var item = new CheckInItem(client, wait > TimeSpan.Zero);
        return PollAsync(item, new EndPollItem(item), wait, cancellation);
    }

    /// <summary>How an assignment stands; while it is open, answered when that changes or after <paramref name="wait"/>.</summary>
    public Task<(HostOutcome Outcome, AssignmentState State)> WatchAsync(AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        var item = new WatchItem(assignment, client, wait > TimeSpan.Zero);
        return PollAsync(item, new EndWatchItem(item), wait, cancellation);
    }

    /// <summary>Posts what may stay open, and what ends it, answered or not, when the wait is over or nobody listens any more.</summary>
    private async Task<TResult> PollAsync<TResult>(Item<TResult> item, Item end, TimeSpan wait, CancellationToken cancellation)
    {
        Post(item);
        if (wait <= TimeSpan.Zero || item.Task.IsCompleted)
        {
            return await item.Task.ConfigureAwait(false);
        }

        await using var timeout = clock.CreateTimer(static state => End(state!), (this, end), wait, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        await using var gone = cancellation.UnsafeRegister(static state => End(state!), (this, end)).ConfigureAwait(false);
        var result = await item.Task.ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        return result;

        static void End(object state)
        {
            var (host, end) = ((RunHost, Item))state;
            host.PostInternal(end);
        }
    }

    /// <summary>From here on the run measures its updates and versions, and notices hold facts too: somebody looks.</summary>
    public void Observe()
    {
        isWatched = true;
        facts?.Observer?.Watch();
    }

    /// <summary>Everything that happens from here on; dispose to leave.</summary>
    /// <param name="capacity">Notices kept for a slow watcher.</param>
    public RunFeed Subscribe(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        var feed = new RunFeed(capacity, left => ImmutableInterlocked.Update(ref feeds, present => present.Remove(left)));
        ImmutableInterlocked.Update(ref feeds, present => present.Add(feed));
        return feed;
    }

    /// <summary>The digests of the blobs that this run needs; null while it is not open, when nothing may be swept.</summary>
    public Task<IReadOnlySet<string>?> ReferencedBlobsAsync() => AskAsync(run => run.ReferencedBlobs());

    /// <summary>What the run knows of its clients, by number; null while it is not open.</summary>
    public Task<IReadOnlyList<ClientFacts>?> ClientsAsync()
    {
        var item = new AskItem<IReadOnlyList<ClientFacts>>(
            run => [.. Enumerable.Range(0, run.Machine.ClientCount).Select(n => run.Machine.Facts(new ClientId(n)))]);
        Post(item);
        return item.Task;
    }

    /// <summary>Saves the run whole now.</summary>
    public Task<Posted> SaveAsync()
    {
        var item = new SaveItem();
        Post(item);
        return item.Task;
    }

    /// <summary>Stops taking requests, answers those that are in, lets long polls go, saves the run and closes it.</summary>
    public async Task CloseAsync()
    {
        if (loop.IsCompleted)
        {
            return;
        }

        if (secureSum is { } sums)
        {
            await sums.DisposeAsync().ConfigureAwait(false);
        }

        await leaving.CancelAsync().ConfigureAwait(false); // A store that fails is not waited for any more.
        PostInternal(new CloseItem());
        mailbox.Writer.TryComplete();
        await loop.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await timer.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
        leaving.Dispose();
    }

    /// <summary>Asks the run itself, on its loop; null when it is not open.</summary>
    internal Task<TResult?> AskAsync<TResult>(Func<DurableRun, TResult> question)
        where TResult : class
    {
        var item = new AskItem<TResult>(question);
        Post(item);
        return item.Task;
    }

    private static TimeSpan Soon { get; } = TimeSpan.FromSeconds(1);

    /// <summary>Puts a request into the mailbox, unless that is full or closed; then the request is answered at once.</summary>
    private void Post(Item item)
    {
        if (view.Host is not HostState.Open and var state)
        {
            item.Refuse(state.Outcome(), Soon);
        }
        else if (Interlocked.Increment(ref depth) > options.MailboxCapacity)
        {
            Interlocked.Decrement(ref depth);
            item.Refuse(HostOutcome.Busy, Soon);
        }
        else if (!mailbox.Writer.TryWrite(item))
        {
            Interlocked.Decrement(ref depth);
            item.Refuse(HostOutcome.Closed, Soon);
        }
    }

    /// <summary>Puts the host's own in: it is never refused but after closing.</summary>
    private void PostInternal(Item item)
    {
        Interlocked.Increment(ref depth);
        if (!mailbox.Writer.TryWrite(item))
        {
            Interlocked.Decrement(ref depth);
            item.Refuse(HostOutcome.Closed, Soon);
        }
    }

    private void Wake() => PostInternal(new WakeItem());
}
