namespace Federated.Simulation.Devices;

/// <summary>What will become of one task: decided in whole when it is dispatched, because nothing that happens later changes it.</summary>
/// <param name="Steps">Local steps that the client will have done.</param>
/// <param name="Download">Seconds to fetch the model.</param>
/// <param name="Train">Seconds to train.</param>
/// <param name="Upload">Seconds to send the update.</param>
/// <param name="Fate">How the task ends.</param>
/// <param name="End">Virtual time of that end, in seconds.</param>
public readonly record struct TaskPlan(int Steps, double Download, double Train, double Upload, TaskFate Fate, double End);

/// <summary>How a task ends on the client's side.</summary>
public enum TaskFate : byte
{
    /// <summary>The update arrives.</summary>
    Arrives,

    /// <summary>The client gives up and says so.</summary>
    Fails,

    /// <summary>The client falls silent.</summary>
    Vanishes,

    /// <summary>The client leaves for good.</summary>
    Departs,
}
