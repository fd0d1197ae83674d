using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Training.Kernels;

namespace Federated.Training.Models;

/// <summary>
/// Convolutional stages (k×k "same" convolution, ReLU, 2×2 max pooling), then fully connected layers with ReLU between them and softmax cross-entropy.
/// With channels (32, 64), k = 5 and a hidden layer of 512 it is the CNN of McMahan et al.: 1,663,370 parameters for 28×28 grey images.
/// </summary>
/// <remarks>
/// McMahan et al. 2017, https://arxiv.org/abs/1602.05629, section 3 (the parameter count implies "same" padding). Tensors are <c>conv1.weight</c>
/// [out, in, k, k], <c>conv1.bias</c>, …, <c>fc1.weight</c>, …; the features enter <c>fc1</c> in PyTorch's order (channel, row, column). Initial values follow
/// PyTorch's default distribution. Cost of the paper's network: some 72 million floating-point operations per example and step, and 0.1 MB of
/// scratch per example of the largest batch.
/// </remarks>
public sealed unsafe class ConvolutionalNetwork<T> : IResidentModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int channels;
    private readonly int height;
    private readonly int width;
    private readonly int classes;
    private readonly int[] fanIn;
    private readonly ConvolutionLayer<T>[] stages;
    private readonly DenseLayers<T> dense;
    private readonly int flat;
    private readonly int denseOffset;
    private readonly AlignedBuffer<T> denseParameters;
    private readonly AlignedBuffer<T> denseCorrection = new();
    private readonly AlignedBuffer<T> flattened = new();
    private readonly AlignedBuffer<T> flattenedGradient = new();
    private readonly AlignedBuffer<T> pooled = new();
    private readonly AlignedBuffer<T> pooledGradient = new();
    private readonly AlignedBuffer<T> inputGradient = new();
    private bool hasCorrection;

    /// <param name="channels">Channels of an example, which is channels × height × width.</param>
    /// <param name="stageChannels">Output channels of each convolution.</param>
    /// <param name="kernel">k, odd.</param>
    /// <param name="hidden">Width of each hidden fully connected layer.</param>
    public ConvolutionalNetwork(
        int channels, int height, int width, ReadOnlySpan<int> stageChannels, int kernel, ReadOnlySpan<int> hidden, int classes)
    {
        if (kernel < 1 || kernel % 2 == 0)
        {
            throw new TrainingException($"A kernel of {kernel}×{kernel} has no middle pixel, which \"same\" padding needs; choose an odd size.");
        }

        (this.channels, this.height, this.width, this.classes) = (channels, height, width, classes);
        var scratch = new AlignedBuffer<T>();
        var tensors = new List<(string, int[])>();
        var fans = new List<int>();
        stages = new ConvolutionLayer<T>[stageChannels.Length];
        var (inputs, stride, rows, columns) = (channels, channels, height, width);
        for (var stage = 0; stage < stages.Length; stage++)
        {
            if (rows < 2 || columns < 2)
            {
                throw new TrainingException(
                    $"Images of {height}×{width} shrink to {rows}×{columns} before pooling number {stage + 1}, which needs 2×2; use fewer convolutions.");
            }

            var outputs = stageChannels[stage];
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputs, nameof(stageChannels));
            stages[stage] = new ConvolutionLayer<T>(inputs, stride, outputs, rows, columns, kernel, scratch);
            tensors.Add(($"conv{stage + 1}.weight", [outputs, inputs, kernel, kernel]));
            tensors.Add(($"conv{stage + 1}.bias", [outputs]));
            fans.Add(inputs * kernel * kernel);
            denseOffset += stages[stage].ParameterCount;
            (inputs, stride, rows, columns) = (outputs, stages[stage].OutputStride, rows / 2, columns / 2);
        }

        LastChannels = inputs;
        flat = inputs * rows * columns;
        int[] widths = [flat, .. hidden, classes];
        for (var layer = 1; layer < widths.Length; layer++)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(widths[layer], nameof(hidden));
            tensors.Add(($"fc{layer}.weight", [widths[layer], widths[layer - 1]]));
            tensors.Add(($"fc{layer}.bias", [widths[layer]]));
            fans.Add(widths[layer - 1]);
        }

        fanIn = [.. fans];
        dense = new DenseLayers<T>(widths, scratch);
        denseParameters = new AlignedBuffer<T>(dense.ParameterCount);
        Layout = ParameterLayout.Of([.. tensors]);
    }

    public ParameterLayout Layout { get; }

    private int LastChannels { get; }

    private ConvolutionLayer<T> Last => stages[^1];

    public void Initialize(Span<T> parameters, SeededRandom random)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        for (var tensor = 0; tensor < Layout.Tensors.Length; tensor++)
        {
            Initialization.Uniform(Layout.Tensors[tensor].In(parameters), fanIn[tensor / 2], random);
        }
    }

    public double Gradient(ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        BatchGuard.CheckLength(gradient.Length, Layout.Count, nameof(gradient));
        fixed (T* w = parameters, g = gradient)
        {
            LoadStages(w, null);
            var loss = Gradient(w + denseOffset, in batch, new GradientTarget<T>(g + denseOffset, T.Zero, T.One));
            var to = g;
            foreach (var stage in stages)
            {
                stage.StoreGradient(to);
                to += stage.ParameterCount;
            }

            return loss;
        }
    }

    public Evaluation Evaluate(ReadOnlySpan<T> parameters, in Batch<T> batch)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        fixed (T* w = parameters)
        {
            LoadStages(w, null);
            Forward(in batch);
            return dense.Evaluate(w + denseOffset, flattened.Pointer, batch.Count, batch.Labels);
        }
    }

    public void Load(ReadOnlySpan<T> parameters, ReadOnlySpan<T> linear = default)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        hasCorrection = !linear.IsEmpty;
        if (hasCorrection)
        {
            BatchGuard.CheckLength(linear.Length, Layout.Count, nameof(linear));
            denseCorrection.Reserve(dense.ParameterCount);
            linear[denseOffset..].CopyTo(denseCorrection.Span);
        }

        parameters[denseOffset..].CopyTo(denseParameters.Span);
        fixed (T* w = parameters, c = linear)
        {
            LoadStages(w, hasCorrection ? c : null);
        }
    }

    public double Step(in Batch<T> batch, T keep, T rate)
    {
        var loss = Gradient(denseParameters.Pointer, in batch, new GradientTarget<T>(denseParameters.Pointer, keep, -rate));
        foreach (var stage in stages)
        {
            stage.Step(keep, rate, hasCorrection);
        }

        if (hasCorrection)
        {
            Elementwise.AddScaled(denseParameters.Pointer, -rate, denseCorrection.Pointer, dense.ParameterCount);
        }

        return loss;
    }

    public void Store(Span<T> parameters)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        fixed (T* w = parameters)
        {
            var to = w;
            foreach (var stage in stages)
            {
                stage.Store(to);
                to += stage.ParameterCount;
            }
        }

        denseParameters.Span.CopyTo(parameters[denseOffset..]);
    }

    private void LoadStages(T* parameters, T* linear)
    {
        foreach (var stage in stages)
        {
            stage.Load(parameters, linear);
            parameters += stage.ParameterCount;
            linear = linear == null ? null : linear + stage.ParameterCount;
        }
    }

    private double Gradient(T* denseWeights, in Batch<T> batch, GradientTarget<T> denseTarget)
    {
        Forward(in batch);
        var d = flattenedGradient.Reserve(batch.Count * flat);
        var loss = dense.Gradient(denseWeights, flattened.Pointer, batch.Count, batch.Labels, denseTarget, d);
        for (var stage = 0; stage < stages.Length; stage++)
        {
            stages[stage].BeginBackward(needsInputGradient: stage > 0);
        }

        for (var example = 0; example < batch.Count; example++)
        {
            Unflatten(d + (example * flat), pooledGradient.Reserve(Last.PooledLength));
            var g = pooledGradient.Pointer;
            for (var stage = stages.Length - 1; stage >= 0; stage--)
            {
                // The input gradient of a stage is the pooled gradient of the one before; two buffers take turns.
                var turn = (stages.Length - 1 - stage) % 2 == 0 ? inputGradient : pooledGradient;
                var below = stage == 0 ? null : turn.Reserve(Math.Max(turn.Length, stages[stage - 1].PooledLength));
                stages[stage].Backward(example, g, below);
                g = below;
            }
        }

        return loss;
    }

    private void Forward(in Batch<T> batch)
    {
        BatchGuard.Check(in batch, channels * height * width, classes);
        foreach (var stage in stages)
        {
            stage.Reserve(batch.Count);
        }

        var features = flattened.Reserve(batch.Count * flat);
        var top = pooled.Reserve(Last.PooledLength);
        fixed (T* x = batch.Features)
        {
            for (var example = 0; example < batch.Count; example++)
            {
                Place(x + (example * channels * height * width), stages[0].Image(example), stages[0].ImageRow);
                for (var stage = 0; stage < stages.Length - 1; stage++)
                {
                    stages[stage].Forward(example, stages[stage + 1].Image(example), stages[stage + 1].ImageRow);
                }

                Last.Forward(example, top, Last.PooledWidth * Last.OutputStride);
                Flatten(top, features + (example * flat));
            }
        }
    }

    /// <summary>Channel, row, column → row, column, channel.</summary>
    private void Place(T* example, T* image, nint row)
    {
        for (var c = 0; c < channels; c++)
        {
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    image[(y * row) + (x * channels) + c] = *example++;
                }
            }
        }
    }

    private void Flatten(T* image, T* features)
    {
        var (pixels, stride) = (Last.PooledHeight * Last.PooledWidth, Last.OutputStride);
        for (var c = 0; c < LastChannels; c++)
        {
            for (var pixel = 0; pixel < pixels; pixel++)
            {
                *features++ = image[(pixel * stride) + c];
            }
        }
    }

    private void Unflatten(T* features, T* image)
    {
        var (pixels, stride) = (Last.PooledHeight * Last.PooledWidth, Last.OutputStride);
        new Span<T>(image, pixels * stride).Clear();
        for (var c = 0; c < LastChannels; c++)
        {
            for (var pixel = 0; pixel < pixels; pixel++)
            {
                image[(pixel * stride) + c] = *features++;
            }
        }
    }
}
