using System.Numerics;
using System.Numerics.Tensors;
using Federated.Training.Models;

namespace Federated.Training.LocalObjectives;

/// <summary>FedSpeed: FedDyn's correction with a gradient taken partly at a point a step uphill, which looks for flat minima.</summary>
/// <remarks>
/// Sun, Shen, Huang, Ding, Tao, "FedSpeed: Larger Local Interval, Less Communication Round, and Higher Generalization Accuracy", ICLR 2023,
/// https://arxiv.org/abs/2302.10429, Algorithm 1. g₁ = ∇F(y; ξ); g₂ = ∇F(y + ρ·g₁/(‖g₁‖ + 10⁻⁷); ξ) on the same batch; G = (1−α)·g₁ + α·g₂;
/// y ← y − η·(G + λ·(y − w + h_i)); afterwards h_i ← h_i + (y − w). The paper writes the correction as ĝ_i − (y − w)/λ': the same up to sign and scale.
/// The server's part is FedDyn's. ρ = 0 or α = 0 is FedDyn with its α = λ, at one gradient per step. Otherwise two gradients per step, and d values of scratch.
/// </remarks>
public sealed class FedSpeed<T>(FedSpeedOptions options) : ILocalObjective<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>h_i.</summary>
    public const string ClientDrift = "fedspeed.client_drift";

    private const double Guard = 1e-7;

    private T[] uphill = [];
    private T[] second = [];

    public string Name => LocalObjectiveKinds.FedSpeed;

    public IReadOnlyList<string> ServerTensors { get; } = [];

    public IReadOnlyList<string> ClientState { get; } = [ClientDrift];

    public IReadOnlyList<string> ClientTensors { get; } = [];

    public bool NeedsPlainSgd => false;

    public bool HasOwnGradient => options.Rho > 0 && options.Mix > 0;

    public LocalTerm Begin(in LocalRun<T> run, Span<T> linear) => Drift.Begin(in run, ClientDrift, options.Lambda, linear);

    public double Gradient(IModel<T> model, ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (uphill.Length != parameters.Length)
        {
            (uphill, second) = (new T[parameters.Length], new T[parameters.Length]);
        }

        var loss = model.Gradient(parameters, in batch, gradient);
        var norm = Math.Sqrt(VectorNorm.Squared<T>(gradient));
        TensorPrimitives.MultiplyAdd(gradient, T.CreateTruncating(options.Rho / (norm + Guard)), parameters, uphill);
        model.Gradient(uphill, in batch, second);
        TensorPrimitives.Multiply(gradient, T.CreateTruncating(1.0 - options.Mix), gradient);
        TensorPrimitives.MultiplyAdd(second, T.CreateTruncating(options.Mix), gradient, gradient);
        return loss;
    }

    public void End(in LocalRun<T> run, in LocalOutcome<T> outcome) => Drift.End(in run, ClientDrift, in outcome);
}
