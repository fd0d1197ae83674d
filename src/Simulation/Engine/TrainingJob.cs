using Federated.Coordinator.Models;
using Federated.Training.LocalTraining;

namespace Federated.Simulation.Engine;

/// <summary>One client's training, from its dispatch until its delta is used up. Objects are used again; a pool owns them.</summary>
internal sealed class TrainingJob<T>
    where T : unmanaged
{
    private volatile JobState state;

    /// <summary>The parameters to start from; held until the job is released.</summary>
    public ModelVersion<T> Version { get; private set; } = null!;

    public int Client { get; private set; }

    public int Steps { get; private set; }

    public ulong Seed { get; private set; }

    /// <summary>Factor on the learning rate.</summary>
    public double RateFactor { get; private set; }

    /// <summary>Virtual time at which the delta will be asked for.</summary>
    public double Due { get; private set; }

    /// <summary>d values, once the job is done.</summary>
    public T[]? Delta { get; set; }

    public LocalResult Result { get; set; }

    /// <summary>What went wrong on the worker, to be thrown where the job is awaited.</summary>
    public Exception? Error { get; set; }

    /// <summary>How often this object was used: an entry of a queue with another number is stale.</summary>
    public int Generation { get; private set; }

    /// <summary>Changed under the pool's lock; may be looked at without it.</summary>
    public JobState State
    {
        get => state;
        set => state = value;
    }

    public void Reset(ModelVersion<T> version, int client, int steps, ulong seed, double rateFactor, double due)
    {
        (Version, Client, Steps, Seed, RateFactor, Due) = (version, client, steps, seed, rateFactor, due);
        (Delta, Result, Error, State) = (null, default, null, JobState.Pending);
        Generation++;
    }
}

internal enum JobState
{
    Pending,
    Running,
    Done,

    /// <summary>Released while it ran; the worker gives its buffers back.</summary>
    Abandoned,

    Released,
}
