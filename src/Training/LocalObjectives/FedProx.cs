using System.Numerics;
using System.Numerics.Tensors;
using Federated.Training.Models;

namespace Federated.Training.LocalObjectives;

/// <summary>FedProx: a quadratic pull towards the server's model, F_i(y) + (μ/2)·‖y − w‖².</summary>
/// <remarks>
/// Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith, "Federated Optimization in Heterogeneous Networks", MLSys 2020,
/// https://arxiv.org/abs/1812.06127, Algorithm 2. Step: y ← y − η·(g(y) + μ·(y − w)). μ = 0 is the plain objective to the bit.
/// Deviation: none; variable work (their γ-inexactness) is the scheduler's and the simulator's completeness knob.
/// Cost: d values of scratch, nothing sent, nothing remembered.
/// </remarks>
public sealed class FedProx<T>(FedProxOptions options) : ILocalObjective<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public string Name => LocalObjectiveKinds.FedProx;

    public IReadOnlyList<string> ServerTensors { get; } = [];

    public IReadOnlyList<string> ClientState { get; } = [];

    public IReadOnlyList<string> ClientTensors { get; } = [];

    public bool NeedsPlainSgd => false;

    public bool HasOwnGradient => false;

    public LocalTerm Begin(in LocalRun<T> run, Span<T> linear)
    {
        if (options.Mu == 0)
        {
            return LocalTerm.None;
        }

        TensorPrimitives.Multiply(run.Start, T.CreateTruncating(-options.Mu), linear);
        return new LocalTerm(HasLinear: true, options.Mu);
    }

    public double Gradient(IModel<T> model, ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient) =>
        model.Gradient(parameters, in batch, gradient);

    public void End(in LocalRun<T> run, in LocalOutcome<T> outcome)
    {
    }
}
