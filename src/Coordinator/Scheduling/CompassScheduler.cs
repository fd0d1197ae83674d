using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// FedCompass: measures each client's speed and gives it as many local steps as let it arrive together with a group of others; a group
/// is merged when all its members are in or its latest time has come, and late members are merged with the next group.
/// </summary>
/// <remarks>
/// Li, Chaturvedi, He, Chen, Singh, Smith, Madduri, Kim, "FedCompass: Efficient Cross-Silo Federated Learning on Heterogeneous Client
/// Devices Using a Computing Power-Aware Scheduler", ICLR 2024, Algorithms 1–2, https://arxiv.org/abs/2309.14675.
/// Deviations, each where the published implementation loses updates: every late update is kept until it is merged (a client may be
/// late twice, or rejoin the group that closes next); late updates are merged without a group when no group is left to take them, at the
/// latest when the last open group's time comes, so that a client that is always late is still heard. Speeds of clients that join after
/// the start are measured from their own first assignment. Time is in double seconds, since floor() of a ratio decides group sizes.
/// Updates are weighted α·s(τ)·p_i with p_i the share of the whole population; use an aggregator that does not normalise.
/// Cost: O(groups + clients) per event; for cross-silo runs of up to some thousand clients.
/// </remarks>
public sealed partial class CompassScheduler(CompassOptions options, IUpdateWeight weight) : IScheduler, IWatchableScheduler
{
    private readonly SortedDictionary<long, CompassGroup> groups = [];
    private readonly Dictionary<ClientId, long> groupOf = [];
    private readonly Dictionary<ClientId, double> secondsPerStep = [];
    private readonly List<ArrivedUpdate> late = [];
    private long nextGroup;

    public string Name => Schedulers.Compass;

    public ISchedulerWatcher? Watcher { get; set; }

    public IEnumerable<ArrivedUpdate> Held => groups.Values.SelectMany(g => g.Updates).Concat(late);

    /// <summary>The groups that are under way, oldest first, as they stand now.</summary>
    public IReadOnlyList<CompassGroupFacts> Groups =>
        [.. groups.Values.Select(g => new CompassGroupFacts(g.Number, [.. g.Out], [.. g.Arrived], g.Expected, g.Latest))];

    public void OnAvailable(ISchedulingContext run, ClientId client)
    {
        if (!groupOf.ContainsKey(client))
        {
            Assign(run, client);
        }
    }

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        var client = update.Assignment.Client;
        run.Accept(update);
        Measure(run, update);
        if (!groupOf.TryGetValue(client, out var number))
        {
            Merge(run, [update]);
            Assign(run, client);
            return;
        }

        var group = groups[number];
        if (run.Now > group.Latest)
        {
            Leave(group, client);
            late.Add(update);
            MergeLateIfNobodyWill(run);
            Assign(run, client);
            return;
        }

        group.Out.Remove(client);
        group.Arrived.Add(client);
        group.Updates.Add(update);
        if (group.Out.Count == 0)
        {
            Close(run, group);
        }
        else
        {
            Tell(group);
        }
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment)
    {
        var client = assignment.Client;
        if (groupOf.TryGetValue(client, out var number))
        {
            var group = groups[number];
            Leave(group, client);
            if (group.Out.Count == 0 && group.Arrived.Count > 0)
            {
                Close(run, group);
            }
            else
            {
                MergeLateIfNobodyWill(run);
            }
        }

        Assign(run, client);
    }

    public void OnDeadline(ISchedulingContext run, long number)
    {
        if (!groups.TryGetValue(number, out var group) || group.Latest == 0)
        {
            return;
        }

        if (group.Arrived.Count > 0)
        {
            Close(run, group);
            return;
        }

        Tell(group, run.Now);
        (group.Expected, group.Latest) = (0, 0); // Nobody came in time: all its members are late.
        MergeLateIfNobodyWill(run);
    }

    public void OnFinishing(ISchedulingContext run)
    {
        // What waits in groups is not published: a version is a whole group.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client)
    {
        if (groupOf.TryGetValue(client, out var number) && groups[number] is var group && group.Latest > 0)
        {
            return new WaitReason(WaitKind.ForGroup, group.Arrived.Count, group.Arrived.Count + group.Out.Count, group.Latest);
        }

        return new WaitReason(WaitKind.ForSlot, run.InFlight, run.ClientCount, double.PositiveInfinity);
    }

    private void Measure(ISchedulingContext run, in ArrivedUpdate update)
    {
        var sample = (run.Now - update.Assignment.DispatchedAt) / update.Report.LocalSteps;
        var client = update.Assignment.Client;
        secondsPerStep[client] = secondsPerStep.TryGetValue(client, out var smoothed)
            ? ((1 - options.SpeedMomentum) * smoothed) + (options.SpeedMomentum * sample)
            : sample;
    }

    /// <summary>Merges a group with all parked late updates, then gives its members their next work, the fastest first.</summary>
    private void Close(ISchedulingContext run, CompassGroup group)
    {
        Merge(run, [.. late, .. group.Updates]);
        late.Clear();
        group.Updates.Clear();
        Tell(group, run.Now, run.Version);
        (group.Expected, group.Latest) = (0, 0);
        var arrived = group.Arrived.OrderBy(c => secondsPerStep[c]).ThenBy(c => c).ToList();
        foreach (var client in arrived)
        {
            Leave(group, client);
        }

        foreach (var client in arrived)
        {
            Assign(run, client);
        }
    }

    private void Merge(ISchedulingContext run, IReadOnlyList<ArrivedUpdate> updates)
    {
        foreach (var update in updates)
        {
            var staleness = run.Version - update.Assignment.BaseVersion;
            var scaled = options.Mixing * weight.Staleness(staleness) * ClientShares.Of(run, update.Assignment.Client, weight);
            run.Accumulate(update.Assignment, update.Report, scaled, options.DeltaAgainst);
        }

        run.Publish();
    }

    private void MergeLateIfNobodyWill(ISchedulingContext run)
    {
        if (late.Count > 0 && !groups.Values.Any(g => g.Latest > 0))
        {
            Merge(run, [.. late]);
            late.Clear();
        }
    }

    private void Tell(CompassGroup group, double closed = double.NaN, int version = 0)
    {
        if (Watcher is { } watcher)
        {
            group.Everybody.UnionWith(group.Members);
            watcher.OnGroup(new GroupFact(group.Number, group.Opened, group.Expected, group.Latest, closed, [.. group.Everybody], group.Arrived.Count, version));
        }
    }

    private void Leave(CompassGroup group, ClientId client)
    {
        group.Out.Remove(client);
        group.Arrived.Remove(client);
        groupOf.Remove(client);
        if (group.IsEmpty)
        {
            groups.Remove(group.Number);
        }
    }

    /// <summary>Gives an available client its next work; one that is not available is given it when it checks in.</summary>
    private void Assign(ISchedulingContext run, ClientId client)
    {
        if (!run.Available.Contains(client))
        {
            return;
        }

        if (!secondsPerStep.TryGetValue(client, out var speed))
        {
            run.Dispatch(client, LocalWork.OfSteps(options.MaxSteps));
            return;
        }

        if (!Join(run, client, speed))
        {
            Create(run, client, speed, StepsForNewGroup(run, speed));
        }
    }

    /// <summary>Joins the group that lets the client do the most steps within [Q_min, Q_max]; the youngest of equals.</summary>
    private bool Join(ISchedulingContext run, ClientId client, double speed)
    {
        CompassGroup? best = null;
        var bestSteps = 0.0;
        foreach (var group in groups.Values)
        {
            var steps = Math.Floor((group.Expected - run.Now) / speed);
            if (steps >= options.MinSteps && steps <= options.MaxSteps && steps >= bestSteps)
            {
                (best, bestSteps) = (group, steps);
            }
        }

        if (best is null)
        {
            return false;
        }

        best.Out.Add(client);
        groupOf[client] = best.Number;
        Tell(best);
        run.Dispatch(client, LocalWork.OfSteps((int)bestSteps));
        return true;
    }

    /// <summary>Steps after which the client would arrive with the next round of some open group: latest time plus Q_max steps of its fastest.</summary>
    private int StepsForNewGroup(ISchedulingContext run, double speed)
    {
        var best = double.NegativeInfinity;
        foreach (var group in groups.Values)
        {
            if (run.Now < group.Latest)
            {
                var fastest = group.Members.Min(c => secondsPerStep[c]);
                var steps = Math.Floor((group.Latest + (fastest * options.MaxSteps) - run.Now) / speed);
                best = steps <= options.MaxSteps ? Math.Max(best, steps) : best;
            }
        }

        return best < 0 ? options.MaxSteps : Math.Max(options.MinSteps, (int)best);
    }

    private void Create(ISchedulingContext run, ClientId client, double speed, int steps)
    {
        var group = new CompassGroup(nextGroup++)
        {
            Opened = run.Now,
            Expected = run.Now + (steps * speed),
            Latest = run.Now + (steps * speed * options.LatestTimeFactor),
        };
        group.Out.Add(client);
        groups.Add(group.Number, group);
        groupOf[client] = group.Number;
        Tell(group);
        run.Arm(group.Number, group.Latest);
        run.Dispatch(client, LocalWork.OfSteps(steps));
    }
}
