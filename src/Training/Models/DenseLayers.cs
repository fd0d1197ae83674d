using System.Numerics;
using Federated.Training.Kernels;

namespace Federated.Training.Models;

/// <summary>Fully connected layers with ReLU between them and softmax cross-entropy at the end: a whole perceptron, or the head of a convolutional network.</summary>
/// <remarks>
/// Notation, for layer l with weights W_l [out, in] and biases b_l: H_l = relu(H_{l−1}·W_lᵀ + b_l); D_l = ∂loss/∂(pre-activation);
/// ∂W_l = D_lᵀ·H_{l−1}; D_{l−1} = (D_l·W_l) ⊙ [H_{l−1} &gt; 0]. Each layer's D is taken through W_l before W_l is updated.
/// Parameters are those of each layer in turn, weight then bias, without gaps.
/// </remarks>
internal sealed unsafe class DenseLayers<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int[] widths;
    private readonly int logitStride;
    private readonly AlignedBuffer<T>[] outputs;
    private readonly AlignedBuffer<T>[] gradients;
    private readonly AlignedBuffer<T> scratch;
    private int capacity;

    /// <param name="widths">Inputs, hidden widths, classes.</param>
    public DenseLayers(int[] widths, AlignedBuffer<T> scratch)
    {
        this.widths = widths;
        this.scratch = scratch;
        logitStride = Padding.ToRegisters<T>(widths[^1]);
        outputs = [.. widths.Skip(1).Select(_ => new AlignedBuffer<T>())];
        gradients = [.. widths.Skip(1).Select(_ => new AlignedBuffer<T>())];
        for (var layer = 0; layer < Layers; layer++)
        {
            ParameterCount += widths[layer + 1] * (widths[layer] + 1);
        }
    }

    public int ParameterCount { get; }

    private int Layers => widths.Length - 1;

    private int Classes => widths[^1];

    /// <summary>Mean loss over the batch; the gradient goes to <paramref name="target"/>.</summary>
    /// <param name="w">The layers' parameters; may be the target.</param>
    /// <param name="input">rows × inputs.</param>
    /// <param name="inputGradient">rows × inputs, overwritten; null when not needed.</param>
    public double Gradient(T* w, T* input, int rows, ReadOnlySpan<int> labels, GradientTarget<T> target, T* inputGradient)
    {
        Forward(w, input, rows);
        var loss = SoftmaxCrossEntropy.Gradient(outputs[^1].Pointer, rows, Classes, logitStride, labels, T.One / T.CreateTruncating(rows));
        var end = ParameterCount;
        for (var layer = Layers - 1; layer >= 0; layer--)
        {
            int inputs = widths[layer], count = widths[layer + 1];
            var bias = end - count;
            var weight = bias - (count * inputs);
            var isLast = layer == Layers - 1;
            var d = isLast ? outputs[layer].Pointer : gradients[layer].Pointer;
            var stride = isLast ? logitStride : count;
            var below = layer == 0 ? input : outputs[layer - 1].Pointer;
            var belowGradient = layer == 0 ? inputGradient : gradients[layer - 1].Pointer;
            if (belowGradient != null)
            {
                MatrixMultiply.Multiply(
                    new Product<T>
                    {
                        Rows = rows, Columns = inputs, Depth = count, Segments = 1,
                        A = d, RowStride = stride, DepthStride = 1,
                        B = w + weight, PanelStride = inputs,
                        C = belowGradient, ResultStride = inputs, Scale = T.One,
                    },
                    scratch);
                if (layer > 0)
                {
                    Elementwise.RectifyGradient(belowGradient, below, rows * inputs);
                }
            }

            MatrixMultiply.Multiply(
                new Product<T>
                {
                    Rows = count, Columns = inputs, Depth = rows, Segments = 1,
                    A = d, RowStride = 1, DepthStride = stride,
                    B = below, PanelStride = inputs,
                    C = target.Pointer + weight, ResultStride = inputs, Keep = target.Keep, Scale = target.Scale,
                },
                scratch);
            Elementwise.SumRows(d, rows, count, stride, target.Pointer + bias, target.Keep, target.Scale);
            end = weight;
        }

        return loss / rows;
    }

    public Evaluation Evaluate(T* w, T* input, int rows, ReadOnlySpan<int> labels)
    {
        Forward(w, input, rows);
        var logits = outputs[^1].Pointer;
        var correct = SoftmaxCrossEntropy.CountCorrect(logits, rows, Classes, logitStride, labels);
        return new Evaluation(rows, correct, SoftmaxCrossEntropy.Loss(logits, rows, Classes, logitStride, labels));
    }

    private void Forward(T* w, T* input, int rows)
    {
        if (rows > capacity)
        {
            for (var layer = 0; layer < Layers; layer++)
            {
                outputs[layer].Reserve(rows * (layer == Layers - 1 ? logitStride : widths[layer + 1]));
                if (layer < Layers - 1)
                {
                    gradients[layer].Reserve(rows * widths[layer + 1]);
                }
            }

            capacity = rows;
        }

        for (var layer = 0; layer < Layers; layer++)
        {
            int inputs = widths[layer], count = widths[layer + 1];
            var isLast = layer == Layers - 1;
            var stride = isLast ? logitStride : count;
            var bias = w + (count * inputs);
            var output = outputs[layer].Pointer;
            MatrixMultiply.MultiplyTransposed(input, inputs, w, inputs, bias, output, stride, rows, count, inputs, scratch);
            if (!isLast)
            {
                Elementwise.Rectify(output, rows * count);
            }

            w = bias + count;
            input = output;
        }
    }
}
