using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// What a run lets people see beside its effects: the groups that its scheduler forms, how long updates are, how far the model moves. It is
/// no part of the run's state, nothing of it reaches the run, and it is collected only while somebody watches.
/// </summary>
/// <remarks>Written on the run's own thread; <see cref="Watch"/> may be called on any.</remarks>
public sealed class RunObserver : ISchedulerWatcher
{
    private volatile bool isWatched;
    private List<RunFact> facts = [];

    /// <summary>Whether measuring is worth its cost.</summary>
    public bool IsWatched => isWatched;

    /// <summary>From here on facts are collected.</summary>
    public void Watch() => isWatched = true;

    public void OnGroup(GroupFact group) => Add(new GroupChanged(group));

    public void Add(RunFact fact)
    {
        if (isWatched)
        {
            facts.Add(fact);
        }
    }

    /// <summary>What was collected since the last call.</summary>
    internal IReadOnlyList<RunFact> Take()
    {
        if (facts.Count == 0)
        {
            return [];
        }

        var taken = facts;
        facts = [];
        return taken;
    }
}

/// <summary>Something to see of a run.</summary>
public abstract record RunFact;

/// <summary>A group was opened, gained or lost a member, or was closed.</summary>
public sealed record GroupChanged(GroupFact Group) : RunFact;

/// <summary>An update was folded in.</summary>
/// <param name="Norm">ℓ2 norm of its delta.</param>
public sealed record UpdateMeasured(AssignmentId Assignment, double Norm) : RunFact;

/// <summary>A version was published. What was not measured is NaN.</summary>
/// <param name="WeightSum">Sum of its updates' weights after normalisation.</param>
/// <param name="StepNorm">ℓ2 norm of the change that the server optimizer made.</param>
/// <param name="Agreement">Mean cosine between an update and the aggregate that it went into.</param>
/// <param name="LeftOut">Updates that the aggregator did not use, and why.</param>
public sealed record VersionMeasured(int Version, double WeightSum, double StepNorm, double Agreement, IReadOnlyList<(int Client, string Reason)> LeftOut) : RunFact;
