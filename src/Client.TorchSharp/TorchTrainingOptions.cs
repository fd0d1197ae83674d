using Federated.Client.TorchSharp.Optimizers;
using Federated.Client.TorchSharp.Privacy;
using Federated.Training.LocalTraining;

namespace Federated.Client.TorchSharp;

/// <summary>How a client trains with torch.</summary>
public sealed record TorchTrainingOptions
{
    /// <summary>Batch size, optimizer, schedule and objective, as for the managed trainer.</summary>
    public LocalTrainingOptions Local { get; init; } = new();

    /// <summary>An optimizer of one's own.</summary>
    /// <value>The default is null: the optimizer that <see cref="Local"/> describes.</value>
    public TorchOptimizer? Optimizer { get; init; }

    /// <summary>Differential privacy for every single example, against everybody who sees the update.</summary>
    /// <value>The default is none.</value>
    public DpSgdOptions? Privacy { get; init; }
}
