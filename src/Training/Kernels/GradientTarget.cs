namespace Federated.Training.Kernels;

/// <summary>
/// Where a gradient goes: target ← keep·target + scale·gradient. (buffer, 0, 1) writes the gradient; (parameters, 1 − η·λ, −η) is the SGD step itself.
/// </summary>
internal readonly unsafe struct GradientTarget<T>(T* pointer, T keep, T scale)
    where T : unmanaged
{
    public T* Pointer { get; } = pointer;

    public T Keep { get; } = keep;

    public T Scale { get; } = scale;
}
