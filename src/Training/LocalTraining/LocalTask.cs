using Federated.Training.Data;
using Federated.Training.LocalObjectives;

namespace Federated.Training.LocalTraining;

/// <summary>One client's share of work.</summary>
public readonly ref struct LocalTask<T>
    where T : unmanaged
{
    /// <summary>w, the parameters to start from (d values).</summary>
    public required ReadOnlySpan<T> Start { get; init; }

    public required DataSet Data { get; init; }

    /// <summary>The client's examples, as indices into <see cref="Data"/>; at least one.</summary>
    public required ReadOnlySpan<int> Examples { get; init; }

    /// <summary>K_i, the local steps to do; 0 or more.</summary>
    public required int Steps { get; init; }

    /// <summary>Seed of this task's shuffles, derived for example from the run's seed, the client and the assignment.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Factor on the learning rate, from the run's schedule.</summary>
    public double RateFactor { get; init; } = 1.0;

    /// <summary>What the objective exchanges; may be null when it exchanges nothing.</summary>
    public LocalExchange<T>? Exchange { get; init; }

    /// <summary>Ends the training between two steps, with an <see cref="OperationCanceledException"/>; the delta's content is then undefined.</summary>
    public CancellationToken Cancellation { get; init; }

    public LocalTask()
    {
    }
}

/// <summary>What a client's work came to; the delta stands in the caller's buffer.</summary>
/// <param name="Steps">Steps done; fewer than asked only when the training diverged.</param>
/// <param name="MeanLoss">Mean over the steps of the mini-batch loss before each step; NaN without steps.</param>
/// <param name="StepWeight">FedNova's ‖a_i‖₁: K_i for plain SGD.</param>
/// <param name="IsFinite">False when a loss or the delta is NaN or infinite: the update must not be used.</param>
public readonly record struct LocalResult(int Steps, double MeanLoss, double StepWeight, bool IsFinite);
