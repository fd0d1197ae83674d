using Federated.Aggregation.Randomness;
using Federated.Training.LocalTraining;

namespace Federated.Client.TorchSharp;

/// <summary>How a module is computed with.</summary>
public sealed record TorchModelOptions
{
    /// <summary>Device, number format, buffers, threads.</summary>
    /// <value>The default is float32 on the CPU.</value>
    public TorchTrainerOptions Engine { get; init; } = new();

    /// <summary>Writes the initial values (d values, in the layout's order).</summary>
    /// <value>The default is null: a module is made anew with libtorch's generator seeded, and its values are taken.</value>
    public InitialValues? Initialize { get; init; }
}

/// <summary>Writes a model's initial values.</summary>
/// <param name="values">d values; overwritten.</param>
/// <param name="random">What they are drawn from.</param>
public delegate void InitialValues(Span<float> values, SeededRandom random);
