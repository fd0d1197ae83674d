using System.Numerics;

namespace Federated.Training.Kernels;

/// <summary>Bias, ReLU and 2×2 max pooling in one pass over channels-last images, and the way back.</summary>
/// <remarks>
/// The bias is the same within a window, so that it is added to the maximum; ReLU commutes with the maximum. What is remembered for the
/// way back is which of the window's four pixels won (the first of equal ones, as in PyTorch), or −1 where ReLU closed: a fourth of the memory of
/// the activations. An odd last row or column is dropped, as in PyTorch.
/// </remarks>
internal static unsafe class MaxPooling
{
    /// <param name="image">height × width × channels, channels a whole number of registers.</param>
    /// <param name="pooled">Target pixel (0, 0); rows are <paramref name="pooledRow"/> apart, pixels <paramref name="channels"/>.</param>
    /// <param name="winners">height/2 × width/2 × channels.</param>
    public static void Forward<T>(T* image, int height, int width, int channels, T* bias, T* pooled, nint pooledRow, T* winners)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var below = (nint)width * channels;
        for (var y = 0; y < height / 2; y++)
        {
            for (var x = 0; x < width / 2; x++)
            {
                var window = image + (2 * y * below) + (2 * x * channels);
                var target = pooled + (y * pooledRow) + (x * channels);
                for (var c = 0; c < channels; c += Vector<T>.Count)
                {
                    var best = Vector.Load(window + c);
                    var winner = Vector<T>.Zero;
                    Challenge(Vector.Load(window + channels + c), 1, ref best, ref winner);
                    Challenge(Vector.Load(window + below + c), 2, ref best, ref winner);
                    Challenge(Vector.Load(window + below + channels + c), 3, ref best, ref winner);
                    best += Vector.Load(bias + c);
                    Vector.Store(Vector.AndNot(best, Vector.LessThan(best, Vector<T>.Zero)), target + c);
                    Vector.Store(Vector.ConditionalSelect(Vector.GreaterThan(best, Vector<T>.Zero), winner, -Vector<T>.One), winners + c);
                }

                winners += channels;
            }
        }
    }

    /// <summary>Puts each window's gradient on its winner and 0 on the others, and adds it to its channel's bias gradient.</summary>
    /// <param name="pooledGradient">height/2 × width/2 × channels.</param>
    /// <param name="gradient">Target pixel (0, 0); rows are <paramref name="gradientRow"/> apart, pixels <paramref name="channels"/>; overwritten.</param>
    public static void Backward<T>(
        T* pooledGradient, T* winners, int height, int width, int channels, T* gradient, nint gradientRow, T* biasGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var y = 0; y < height / 2; y++)
        {
            for (var x = 0; x < width / 2; x++)
            {
                var window = gradient + (2 * y * gradientRow) + (2 * x * channels);
                for (var c = 0; c < channels; c += Vector<T>.Count)
                {
                    var g = Vector.Load(pooledGradient + c);
                    var winner = Vector.Load(winners + c);
                    Vector.Store(Vector.BitwiseAnd(g, Vector.Equals(winner, Vector<T>.Zero)), window + c);
                    Vector.Store(Vector.BitwiseAnd(g, Vector.Equals(winner, Code<T>(1))), window + channels + c);
                    Vector.Store(Vector.BitwiseAnd(g, Vector.Equals(winner, Code<T>(2))), window + gradientRow + c);
                    Vector.Store(Vector.BitwiseAnd(g, Vector.Equals(winner, Code<T>(3))), window + gradientRow + channels + c);
                    var open = Vector.BitwiseAnd(g, Vector.GreaterThanOrEqual(winner, Vector<T>.Zero));
                    Vector.Store(Vector.Load(biasGradient + c) + open, biasGradient + c);
                }

                pooledGradient += channels;
                winners += channels;
            }

            if (width % 2 == 1)
            {
                new Span<T>(gradient + (2 * y * gradientRow) + ((width - 1) * channels), channels).Clear();
                new Span<T>(gradient + (((2 * y) + 1) * gradientRow) + ((width - 1) * channels), channels).Clear();
            }
        }

        if (height % 2 == 1)
        {
            new Span<T>(gradient + ((height - 1) * gradientRow), width * channels).Clear();
        }
    }

    private static Vector<T> Code<T>(int code)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(T.CreateTruncating(code));

    private static void Challenge<T>(Vector<T> challenger, int code, ref Vector<T> best, ref Vector<T> winner)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var wins = Vector.GreaterThan(challenger, best);
        best = Vector.ConditionalSelect(wins, challenger, best);
        winner = Vector.ConditionalSelect(wins, Code<T>(code), winner);
    }
}
