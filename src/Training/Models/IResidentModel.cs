using System.Numerics;

namespace Federated.Training.Models;

/// <summary>
/// A model that can keep one client's parameters in a working layout of its own for the length of a local run, and apply SGD in the
/// same pass that computes the gradient: no gradient is written, and layouts are converted once per run instead of once per step.
/// </summary>
/// <remarks>
/// Every model here is resident. A step gives the same parameters as <see cref="IModel{T}.Gradient"/> and an SGD step, up to rounding.
/// Gradient and evaluation may use the working layout: store what is wanted before them, and load again after.
/// </remarks>
public interface IResidentModel<T> : IModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Takes the parameters in; the spans are not kept.</summary>
    /// <param name="parameters">d values.</param>
    /// <param name="linear">d values that are added to every gradient of the run, or empty for none.</param>
    void Load(ReadOnlySpan<T> parameters, ReadOnlySpan<T> linear = default);

    /// <summary>w ← keep·w − rate·(g + linear), with g the gradient of the mean loss over the batch; returns that loss, before the step.</summary>
    double Step(in Batch<T> batch, T keep, T rate);

    /// <summary>Writes the parameters out (d values; overwritten).</summary>
    void Store(Span<T> parameters);
}
