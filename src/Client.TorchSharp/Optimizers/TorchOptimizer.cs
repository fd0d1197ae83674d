using Federated.Client.TorchSharp.Binding;
using Federated.Training;
using Federated.Training.Optimizers;

namespace Federated.Client.TorchSharp.Optimizers;

/// <summary>How a task's optimizer is made; its state lasts for one assignment, as everywhere here.</summary>
/// <param name="Create">Makes it for the module's parameters (<see cref="FlatModule.Whole"/> or <see cref="FlatModule.Masters"/>) at a rate.</param>
/// <param name="LearningRate">η, before the run's schedule.</param>
/// <param name="Momentum">ρ for FedNova's step weight; 0 where the optimizer has none.</param>
/// <param name="Nesterov">Whether the momentum is Nesterov's.</param>
/// <param name="IsPlainSgd">Whether the distance travelled is the sum of rate times gradient, which SCAFFOLD needs.</param>
public sealed record TorchOptimizer(Func<FlatModule, double, optim.Optimizer> Create, double LearningRate, double Momentum = 0, bool Nesterov = false, bool IsPlainSgd = false)
{
    /// <summary>The built-in optimizers by libtorch's own implementations, with the same settings and meaning.</summary>
    public static TorchOptimizer Of(LocalOptimizerOptions options) => options switch
    {
        SgdOptions { Nesterov: true, Momentum: 0 } => throw new TrainingException("Nesterov's form needs a momentum; momentum is 0. Set momentum above 0 or nesterov to false."),
        SgdOptions o => new TorchOptimizer(
            (module, rate) => optim.SGD([module.Whole], rate, o.Momentum, weight_decay: o.WeightDecay, nesterov: o.Nesterov),
            o.LearningRate, o.Momentum, o.Nesterov, o.Momentum == 0),
        AdamOptions { DecoupledWeightDecay: true } o => new TorchOptimizer(
            (module, rate) => optim.AdamW([module.Whole], rate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay), o.LearningRate),
        AdamOptions o => new TorchOptimizer(
            (module, rate) => optim.Adam([module.Whole], rate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay), o.LearningRate),
        _ => throw new TrainingException($"No torch optimizer for {options?.GetType().Name ?? "null"}."),
    };
}
