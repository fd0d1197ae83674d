using Federated.Coordinator.Models;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Results;

namespace Federated.Simulation.Engine;

/// <summary>
/// Follows a simulation: result writers, live tables, tests. Called on the simulation's thread, in order; what an observer does slows the
/// simulation down but cannot change it.
/// </summary>
public interface ISimulationObserver : ISchedulerWatcher
{
    /// <summary>Whether updates and versions are to be measured for this observer: some passes over each update, and no change to the run.</summary>
    bool WantsMeasures => false;

    /// <summary>The scheduler opened, changed or closed a group of clients.</summary>
    void ISchedulerWatcher.OnGroup(GroupFact group)
    {
    }

    /// <summary>An assignment was given to a client.</summary>
    void OnDispatch(Assignment assignment)
    {
    }

    /// <summary>A client's update arrived; what becomes of it is told later.</summary>
    /// <param name="time">Virtual seconds.</param>
    void OnArrival(Assignment assignment, double time)
    {
    }

    /// <summary>A version was published.</summary>
    void OnVersion(in VersionPublished version)
    {
    }

    /// <summary>A version was evaluated.</summary>
    void OnEvaluation(MetricsRow row)
    {
    }

    /// <summary>An assignment came to its end; an accepted one when it is folded into an aggregate.</summary>
    void OnUpdate(in UpdateRow row)
    {
    }

    /// <summary>Some ten times per real second: what a live table shows.</summary>
    void OnProgress(in SimulationProgress progress)
    {
    }

    /// <summary>The run is over and has checked itself.</summary>
    void OnFinish(RunSummary summary)
    {
    }
}

/// <summary>A published version.</summary>
/// <param name="VirtualSeconds">When, on the virtual clock.</param>
/// <param name="Updates">Updates in the aggregate.</param>
/// <param name="MeanStaleness">Of those updates.</param>
/// <param name="WeightSum">Sum of the weights after normalisation; NaN in a run without a model.</param>
/// <param name="Measures">Where an observer wants them.</param>
public readonly record struct VersionPublished(
    int Version, double VirtualSeconds, int Updates, double MeanStaleness, double WeightSum, AggregateMeasures Measures);

/// <summary>Where a running simulation stands.</summary>
/// <param name="InFlight">Assignments out at clients.</param>
/// <param name="Waiting">Clients that wait for work.</param>
/// <param name="MeanStaleness">Of the updates folded in since the last evaluation.</param>
/// <param name="Events">Events handled so far.</param>
public readonly record struct SimulationProgress(
    int Version,
    double VirtualSeconds,
    double WallSeconds,
    long Accepted,
    long Rejected,
    long Lost,
    long InFlight,
    int Waiting,
    double MeanStaleness,
    long Events);

/// <summary>Passes everything on to several observers, in order.</summary>
public sealed class CompositeObserver(params ISimulationObserver[] observers) : ISimulationObserver
{
    public bool WantsMeasures => observers.Any(observer => observer.WantsMeasures);

    public void OnGroup(GroupFact group)
    {
        foreach (var observer in observers)
        {
            observer.OnGroup(group);
        }
    }

    public void OnDispatch(Assignment assignment)
    {
        foreach (var observer in observers)
        {
            observer.OnDispatch(assignment);
        }
    }

    public void OnArrival(Assignment assignment, double time)
    {
        foreach (var observer in observers)
        {
            observer.OnArrival(assignment, time);
        }
    }

    public void OnVersion(in VersionPublished version)
    {
        foreach (var observer in observers)
        {
            observer.OnVersion(version);
        }
    }

    public void OnEvaluation(MetricsRow row)
    {
        foreach (var observer in observers)
        {
            observer.OnEvaluation(row);
        }
    }

    public void OnUpdate(in UpdateRow row)
    {
        foreach (var observer in observers)
        {
            observer.OnUpdate(row);
        }
    }

    public void OnProgress(in SimulationProgress progress)
    {
        foreach (var observer in observers)
        {
            observer.OnProgress(progress);
        }
    }

    public void OnFinish(RunSummary summary)
    {
        foreach (var observer in observers)
        {
            observer.OnFinish(summary);
        }
    }
}
