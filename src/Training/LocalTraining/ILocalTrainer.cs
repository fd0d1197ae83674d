using System.Numerics;
using Federated.Training.LocalObjectives;
using Federated.Training.Models;

namespace Federated.Training.LocalTraining;

/// <summary>
/// Trains one client after the other: parameters go in, a delta comes out. An instance belongs to one worker thread and serves any number
/// of clients; a task's delta depends on the task alone.
/// </summary>
/// <remarks>Implemented by <see cref="LocalTrainer{T}"/> on managed kernels, and outside this project by engines that an <see cref="ITrainerFactory"/> stands for.</remarks>
public interface ILocalTrainer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The model that is trained, for its layout, its initial values and evaluation.</summary>
    IModel<T> Model { get; }

    /// <summary>The objective in use, for the names of what it exchanges.</summary>
    ILocalObjective<T> Objective { get; }

    /// <summary>Does the task and writes local − start (d values) into <paramref name="delta"/>.</summary>
    LocalResult Train(in LocalTask<T> task, Span<T> delta);
}
