namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>What an operator can do to a run.</summary>
public interface IRunControl
{
    /// <summary>Nothing more is given out or counted until <see cref="Resume"/>.</summary>
    void Pause();

    void Resume();

    /// <summary>Ends the run; what there is, is kept.</summary>
    void Stop();
}
