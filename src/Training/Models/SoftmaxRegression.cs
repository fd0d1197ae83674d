using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Training.Kernels;

namespace Federated.Training.Models;

/// <summary>Multinomial logistic regression: one linear layer and softmax cross-entropy. Convex; the model of the FedProx synthetic sets.</summary>
/// <remarks>
/// Tensors: <c>fc.weight</c> [classes, features] and <c>fc.bias</c> [classes]. The working layout is the transpose, each feature's weights padded to
/// whole registers, so that a step of a small model (60 features, 10 classes, batch 10) is some 1,200 multiply-adds of full registers and no
/// horizontal sums: such a step costs well below a microsecond, where call overheads would dominate otherwise.
/// </remarks>
public sealed unsafe class SoftmaxRegression<T> : IResidentModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int features;
    private readonly int classes;
    private readonly int stride;
    private readonly AlignedBuffer<T> scratch = new();
    private readonly AlignedBuffer<T> logits = new();
    private readonly AlignedBuffer<T> resident;
    private readonly AlignedBuffer<T> transposedGradient;
    private readonly AlignedBuffer<T> correction = new();
    private bool hasCorrection;

    public SoftmaxRegression(int features, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        (this.features, this.classes) = (features, classes);
        stride = Padding.ToRegisters<T>(classes);
        resident = new AlignedBuffer<T>((features + 1) * stride);
        transposedGradient = new AlignedBuffer<T>((features + 1) * stride);
        Layout = ParameterLayout.Of(("fc.weight", [classes, features]), ("fc.bias", [classes]));
    }

    public ParameterLayout Layout { get; }

    public void Initialize(Span<T> parameters, SeededRandom random)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        Initialization.Uniform(parameters, features, random);
    }

    public double Gradient(ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient)
    {
        BatchGuard.CheckLength(gradient.Length, Layout.Count, nameof(gradient));
        Load(parameters);
        var loss = Gradient(in batch, new GradientTarget<T>(transposedGradient.Pointer, T.Zero, T.One));
        TransposeOut(transposedGradient.Pointer, gradient);
        return loss;
    }

    public Evaluation Evaluate(ReadOnlySpan<T> parameters, in Batch<T> batch)
    {
        Load(parameters);
        fixed (T* x = batch.Features)
        {
            Forward(x, in batch);
            var correct = SoftmaxCrossEntropy.CountCorrect(logits.Pointer, batch.Count, classes, stride, batch.Labels);
            return new Evaluation(batch.Count, correct, SoftmaxCrossEntropy.Loss(logits.Pointer, batch.Count, classes, stride, batch.Labels));
        }
    }

    public void Load(ReadOnlySpan<T> parameters, ReadOnlySpan<T> linear = default)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        TransposeIn(parameters, resident.Pointer);
        hasCorrection = !linear.IsEmpty;
        if (hasCorrection)
        {
            BatchGuard.CheckLength(linear.Length, Layout.Count, nameof(linear));
            TransposeIn(linear, correction.Reserve(resident.Length));
        }
    }

    public double Step(in Batch<T> batch, T keep, T rate)
    {
        var loss = Gradient(in batch, new GradientTarget<T>(resident.Pointer, keep, -rate));
        if (hasCorrection)
        {
            Elementwise.AddScaled(resident.Pointer, -rate, correction.Pointer, resident.Length);
        }

        return loss;
    }

    public void Store(Span<T> parameters)
    {
        BatchGuard.CheckLength(parameters.Length, Layout.Count, nameof(parameters));
        TransposeOut(resident.Pointer, parameters);
    }

    private double Gradient(in Batch<T> batch, GradientTarget<T> target)
    {
        fixed (T* x = batch.Features)
        {
            Forward(x, in batch);
            var d = logits.Pointer;
            var loss = SoftmaxCrossEntropy.Gradient(d, batch.Count, classes, stride, batch.Labels, T.One / T.CreateTruncating(batch.Count));
            MatrixMultiply.Multiply(
                new Product<T>
                {
                    Rows = features, Columns = classes, Depth = batch.Count, Segments = 1,
                    A = x, RowStride = 1, DepthStride = features,
                    B = d, PanelStride = stride,
                    C = target.Pointer, ResultStride = stride, Keep = target.Keep, Scale = target.Scale, IsPadded = true,
                },
                scratch);
            Elementwise.SumRows(d, batch.Count, stride, stride, target.Pointer + (features * stride), target.Keep, target.Scale);
            return loss / batch.Count;
        }
    }

    private void Forward(T* x, in Batch<T> batch)
    {
        BatchGuard.Check(in batch, features, classes);
        var z = logits.Reserve(batch.Count * stride);
        var bias = new ReadOnlySpan<T>(resident.Pointer + (features * stride), stride);
        for (var row = 0; row < batch.Count; row++)
        {
            bias.CopyTo(new Span<T>(z + (row * stride), stride));
        }

        MatrixMultiply.Multiply(
            new Product<T>
            {
                Rows = batch.Count, Columns = classes, Depth = features, Segments = 1,
                A = x, RowStride = features, DepthStride = 1,
                B = resident.Pointer, PanelStride = stride,
                C = z, ResultStride = stride, Keep = T.One, Scale = T.One, IsPadded = true,
            },
            scratch);
    }

    private void TransposeIn(ReadOnlySpan<T> parameters, T* transposed)
    {
        for (var c = 0; c < classes; c++)
        {
            var row = parameters.Slice(c * features, features);
            var column = transposed + c;
            foreach (var value in row)
            {
                *column = value;
                column += stride;
            }

            *column = parameters[(classes * features) + c];
        }
    }

    private void TransposeOut(T* transposed, Span<T> parameters)
    {
        for (var c = 0; c < classes; c++)
        {
            var row = parameters.Slice(c * features, features);
            var column = transposed + c;
            foreach (ref var value in row)
            {
                value = *column;
                column += stride;
            }

            parameters[(classes * features) + c] = *column;
        }
    }
}
