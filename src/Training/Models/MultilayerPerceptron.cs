using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Training.Kernels;

namespace Federated.Training.Models;

/// <summary>
/// Fully connected layers with ReLU between them and softmax cross-entropy; with hidden widths (200, 200) the 2NN of McMahan et al.
/// </summary>
/// <remarks>
/// McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized Data",
/// AISTATS 2017, https://arxiv.org/abs/1602.05629, section 3. Tensors are <c>fc1.weight</c> [out, in], <c>fc1.bias</c>, <c>fc2.weight</c>, …, as in a
/// PyTorch module of the same layers; initial values follow PyTorch's default distribution.
/// Cost per example: 2·d multiply-adds forward, 4·d backward less the first layer's input gradient.
/// </remarks>
public sealed unsafe class MultilayerPerceptron<T> : IResidentModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int[] widths;
    private readonly DenseLayers<T> layers;
    private readonly AlignedBuffer<T> resident = new();
    private readonly AlignedBuffer<T> correction = new();
    private bool hasCorrection;

    /// <param name="inputs">Features of one example.</param>
    /// <param name="hidden">Width of each hidden layer; none makes a softmax regression.</param>
    public MultilayerPerceptron(int inputs, ReadOnlySpan<int> hidden, int classes)
    {
        widths = [inputs, .. hidden, classes];
        foreach (var width in widths)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width, nameof(hidden));
        }

        layers = new DenseLayers<T>(widths, new AlignedBuffer<T>());
        var tensors = new List<(string, int[])>();
        for (var layer = 1; layer < widths.Length; layer++)
        {
            tensors.Add(($"fc{layer}.weight", [widths[layer], widths[layer - 1]]));
            tensors.Add(($"fc{layer}.bias", [widths[layer]]));
        }

        Layout = ParameterLayout.Of([.. tensors]);
    }

    public ParameterLayout Layout { get; }

    public void Initialize(Span<T> parameters, SeededRandom random)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        for (var tensor = 0; tensor < Layout.Tensors.Length; tensor++)
        {
            Initialization.Uniform(Layout.Tensors[tensor].In(parameters), widths[tensor / 2], random);
        }
    }

    public double Gradient(ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient)
    {
        BatchGuard.Check(in batch, widths[0], widths[^1]);
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        BatchGuard.CheckLength(gradient.Length, Layout.Count, nameof(gradient));
        fixed (T* w = parameters, x = batch.Features, g = gradient)
        {
            return layers.Gradient(w, x, batch.Count, batch.Labels, new GradientTarget<T>(g, T.Zero, T.One), null);
        }
    }

    public Evaluation Evaluate(ReadOnlySpan<T> parameters, in Batch<T> batch)
    {
        BatchGuard.Check(in batch, widths[0], widths[^1]);
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        fixed (T* w = parameters, x = batch.Features)
        {
            return layers.Evaluate(w, x, batch.Count, batch.Labels);
        }
    }

    public void Load(ReadOnlySpan<T> parameters, ReadOnlySpan<T> linear = default)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        resident.Reserve(Layout.Count);
        parameters.CopyTo(resident.Span);
        hasCorrection = !linear.IsEmpty;
        if (hasCorrection)
        {
            BatchGuard.CheckLength(linear.Length, Layout.Count, nameof(linear));
            correction.Reserve(Layout.Count);
            linear.CopyTo(correction.Span);
        }
    }

    public double Step(in Batch<T> batch, T keep, T rate)
    {
        BatchGuard.Check(in batch, widths[0], widths[^1]);
        BatchGuard.CheckLength(resident.Length, Layout.Count, nameof(Load));
        fixed (T* x = batch.Features)
        {
            var loss = layers.Gradient(resident.Pointer, x, batch.Count, batch.Labels, new GradientTarget<T>(resident.Pointer, keep, -rate), null);
            if (hasCorrection)
            {
                Elementwise.AddScaled(resident.Pointer, -rate, correction.Pointer, Layout.Count);
            }

            return loss;
        }
    }

    public void Store(Span<T> parameters)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        resident.Span.CopyTo(parameters);
    }
}
