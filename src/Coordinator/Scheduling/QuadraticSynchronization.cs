using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>QSR: H = max(H_base, ⌊(α/η)²⌋) local steps at learning rate η: communicate less as the learning rate decays.</summary>
/// <remarks>
/// Gu, Lyu, Arora, Zhang, Huang, "A Quadratic Synchronization Rule for Distributed Deep Learning", ICLR 2024, eq. (2),
/// https://arxiv.org/abs/2310.14423. Deviation: none; η is the client learning rate at the version an assignment starts from.
/// </remarks>
/// <param name="baseSteps">H_base.</param>
/// <param name="coefficient">α.</param>
/// <param name="learningRate">η by version.</param>
public sealed class QuadraticSynchronization(int baseSteps, double coefficient, Func<int, double> learningRate) : IStepPolicy
{
    public string Name => StepPolicies.QuadraticSynchronization;

    public LocalWork WorkFor(ISchedulingContext run, ClientId client) => LocalWork.OfSteps(Steps(learningRate(run.Version)));

    /// <summary>H at learning rate η.</summary>
    public int Steps(double learningRate)
    {
        var ratio = coefficient / learningRate;
        return Math.Max(baseSteps, (int)Math.Min(int.MaxValue, Math.Floor(ratio * ratio)));
    }
}
