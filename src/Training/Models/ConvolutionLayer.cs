using System.Numerics;
using Federated.Training.Kernels;

namespace Federated.Training.Models;

/// <summary>One stage of a convolutional network: k×k convolution with "same" padding, bias, ReLU, 2×2 max pooling.</summary>
/// <remarks>
/// Images are channels-last inside: the channels of one pixel are contiguous and, after the first stage, padded to whole registers. A
/// k×k window is then k runs of k·channels numbers, so that the product kernel reads it in place (one segment per kernel row) and no patch matrix is
/// ever written. Notation: x padded input, W[o, i, u, v] weights, y convolution, D = ∂loss/∂y.
/// y[p, q, o] = Σ_{u,v,i} x[p+u, q+v, i]·W[o, i, u, v]: depth (u, v, i), rows q. ∂W: rows (v, i), depth (p, q), one product per u.
/// ∂x is the same convolution of the padded D with the weights flipped in u and v and transposed in o and i.
/// Weights live as panels over o (<see cref="PanelLayout{T}"/>); their gradient has the same layout.
/// </remarks>
internal sealed unsafe class ConvolutionLayer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int inputs;
    private readonly int outputs;
    private readonly int stride;
    private readonly int height;
    private readonly int width;
    private readonly int kernel;
    private readonly int paddedWidth;
    private readonly PanelLayout<T> panels;
    private readonly PanelLayout<T> flippedPanels;
    private readonly AlignedBuffer<T> scratch;
    private readonly AlignedBuffer<T> weights;
    private readonly AlignedBuffer<T> flipped = new();
    private readonly AlignedBuffer<T> weightGradient;
    private readonly AlignedBuffer<T> correction = new();
    private readonly AlignedBuffer<T> images = new();
    private readonly AlignedBuffer<T> winners = new();
    private readonly AlignedBuffer<T> convolved;
    private readonly AlignedBuffer<T> outputGradient;

    /// <param name="inputs">Channels in.</param>
    /// <param name="inputStride">Elements from one input pixel to the next; at least the channels.</param>
    /// <param name="kernel">k, odd.</param>
    public ConvolutionLayer(int inputs, int inputStride, int outputs, int height, int width, int kernel, AlignedBuffer<T> scratch)
    {
        (this.inputs, this.outputs, this.height, this.width, this.kernel, this.scratch) = (inputs, outputs, height, width, kernel, scratch);
        (InputStride, stride, paddedWidth) = (inputStride, Padding.ToRegisters<T>(outputs), width + kernel - 1);
        panels = new PanelLayout<T>(kernel * kernel * inputStride, stride);
        flippedPanels = new PanelLayout<T>(kernel * kernel * stride, inputStride);

        // Panels first, then one bias per channel.
        weights = new AlignedBuffer<T>(panels.Length + stride);
        weightGradient = new AlignedBuffer<T>(panels.Length + stride);
        convolved = new AlignedBuffer<T>(height * width * stride);
        outputGradient = new AlignedBuffer<T>(ImageLength(stride));
    }

    public int InputStride { get; }

    public int OutputStride => stride;

    public int PooledHeight => height / 2;

    public int PooledWidth => width / 2;

    public int PooledLength => PooledHeight * PooledWidth * stride;

    /// <summary>Parameters in PyTorch's layout: weight [out, in, k, k], then bias [out].</summary>
    public int ParameterCount => (outputs * inputs * kernel * kernel) + outputs;

    /// <summary>Elements from one row of the padded input image to the next.</summary>
    public int ImageRow => paddedWidth * InputStride;

    public void Reserve(int batch)
    {
        images.Reserve(batch * ImageLength(InputStride));
        winners.Reserve(batch * PooledLength);
    }

    /// <summary>Pixel (0, 0) of an example's input; around it lies the padding, which stays zero.</summary>
    public T* Image(int example) =>
        images.Pointer + ((nint)example * ImageLength(InputStride)) + (kernel / 2 * ImageRow) + (kernel / 2 * InputStride);

    public void Load(T* parameters, T* linear)
    {
        Convert(parameters, weights);
        if (linear != null)
        {
            correction.Reserve(weights.Length);
            Convert(linear, correction);
        }
    }

    public void Store(T* parameters) => ConvertBack(weights.Pointer, parameters);

    public void StoreGradient(T* gradient) => ConvertBack(weightGradient.Pointer, gradient);

    /// <summary>w ← keep·w − rate·(g + linear).</summary>
    public void Step(T keep, T rate, bool hasCorrection)
    {
        Elementwise.Blend(weights.Pointer, keep, weightGradient.Pointer, -rate, weights.Length);
        if (hasCorrection)
        {
            Elementwise.AddScaled(weights.Pointer, -rate, correction.Pointer, weights.Length);
        }
    }

    /// <param name="pooled">Target pixel (0, 0), pixels <see cref="OutputStride"/> apart.</param>
    public void Forward(int example, T* pooled, nint pooledRow)
    {
        Convolve(Image(example) - (kernel / 2 * (ImageRow + InputStride)), InputStride, weights.Pointer, in panels, convolved.Pointer);
        MaxPooling.Forward(
            convolved.Pointer, height, width, stride, weights.Pointer + panels.Length, pooled, pooledRow, winners.Pointer + ((nint)example * PooledLength));
    }

    /// <summary>Starts a backward pass over a batch.</summary>
    public void BeginBackward(bool needsInputGradient)
    {
        weightGradient.Span.Clear();
        if (needsInputGradient)
        {
            Flip();
        }
    }

    /// <summary>Adds one example's weight and bias gradient, and writes its input gradient.</summary>
    /// <param name="pooledGradient">pooled height × width × <see cref="OutputStride"/>.</param>
    /// <param name="inputGradient">height × width × <see cref="InputStride"/>, overwritten; null when not needed.</param>
    public void Backward(int example, T* pooledGradient, T* inputGradient)
    {
        var row = paddedWidth * stride;
        var inner = outputGradient.Pointer + (kernel / 2 * (row + stride));
        MaxPooling.Backward(
            pooledGradient, winners.Pointer + ((nint)example * PooledLength), height, width, stride, inner, row, weightGradient.Pointer + panels.Length);
        var corner = Image(example) - (kernel / 2 * (ImageRow + InputStride));
        for (var panel = 0; panel < panels.Panels; panel++)
        {
            var columns = panels.PanelWidth(panel);
            for (var u = 0; u < kernel; u++)
            {
                MatrixMultiply.Multiply(
                    new Product<T>
                    {
                        Rows = kernel * InputStride, Columns = columns, Segments = height, Depth = width,
                        A = corner + (u * ImageRow), RowStride = 1, SegmentStride = ImageRow, DepthStride = InputStride,
                        B = inner + panels.FirstColumn(panel), PanelStride = stride, PanelSegmentStride = row,
                        C = weightGradient.Pointer + panels.IndexOf(u * kernel * InputStride, panels.FirstColumn(panel)),
                        ResultStride = columns, Keep = T.One, Scale = T.One,
                    },
                    scratch);
            }
        }

        if (inputGradient != null)
        {
            Convolve(outputGradient.Pointer, stride, flipped.Pointer, in flippedPanels, inputGradient);
        }
    }

    /// <summary>Correlates a padded image with k×k weights laid out as panels; one product per row of the result.</summary>
    private void Convolve(T* image, int channels, T* weightPanels, in PanelLayout<T> layout, T* result)
    {
        var row = paddedWidth * channels;
        for (var p = 0; p < height; p++)
        {
            MatrixMultiply.Multiply(
                new Product<T>
                {
                    Rows = width, Columns = layout.Columns, Segments = kernel, Depth = kernel * channels,
                    A = image + (p * row), RowStride = channels, SegmentStride = row, DepthStride = 1,
                    B = weightPanels, IsPacked = true, PanelOffset = layout.PanelOffset,
                    C = result + (p * width * layout.Columns), ResultStride = layout.Columns, Scale = T.One,
                },
                scratch);
        }
    }

    private void Flip()
    {
        var target = flipped.Reserve(flippedPanels.Length);
        var source = weights.Pointer;
        for (var tap = 0; tap < kernel * kernel; tap++)
        {
            var mirrored = (kernel * kernel) - 1 - tap;
            for (var i = 0; i < InputStride; i++)
            {
                for (var o = 0; o < stride; o++)
                {
                    target[flippedPanels.IndexOf((mirrored * stride) + o, i)] = source[panels.IndexOf((tap * InputStride) + i, o)];
                }
            }
        }
    }

    private void Convert(T* parameters, AlignedBuffer<T> target)
    {
        // What pads the channels must be zero again even after a run that diverged.
        target.Span.Clear();
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < inputs; i++)
            {
                for (var tap = 0; tap < kernel * kernel; tap++)
                {
                    target.Pointer[panels.IndexOf((tap * InputStride) + i, o)] = *parameters++;
                }
            }
        }

        new ReadOnlySpan<T>(parameters, outputs).CopyTo(new Span<T>(target.Pointer + panels.Length, outputs));
    }

    private void ConvertBack(T* source, T* parameters)
    {
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < inputs; i++)
            {
                for (var tap = 0; tap < kernel * kernel; tap++)
                {
                    *parameters++ = source[panels.IndexOf((tap * InputStride) + i, o)];
                }
            }
        }

        new ReadOnlySpan<T>(source + panels.Length, outputs).CopyTo(new Span<T>(parameters, outputs));
    }

    private int ImageLength(int channels) => (height + kernel - 1) * paddedWidth * channels;
}
