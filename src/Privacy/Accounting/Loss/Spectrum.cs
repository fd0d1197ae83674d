using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>The non-negative frequencies of a real sequence's transform.</summary>
internal sealed class Spectrum(int frequencies)
{
    public double[] Real { get; } = new double[frequencies];

    public double[] Imaginary { get; } = new double[frequencies];

    /// <summary>Multiplies frequency by frequency.</summary>
    public void Multiply(Spectrum other) => Multiply(Real, Imaginary, other.Real, other.Imaginary);

    /// <summary>Raises every frequency to a positive power by repeated squaring: 2·log₂ T roundings deep, at most T·10⁻¹⁶ relative error.</summary>
    public void Power(long exponent)
    {
        if (exponent == 1)
        {
            return;
        }

        var (baseRe, baseIm) = ((double[])Real.Clone(), (double[])Imaginary.Clone());
        var highest = 63 - BitOperations.LeadingZeroCount((ulong)exponent);
        for (var bit = highest - 1; bit >= 0; bit--)
        {
            Multiply(Real, Imaginary, Real, Imaginary);
            if ((exponent >> bit & 1) == 1)
            {
                Multiply(Real, Imaginary, baseRe, baseIm);
            }
        }
    }

    /// <summary>(1/N) Σ |X[k]| over all N frequencies of the full transform.</summary>
    public double MeanMagnitude(int length)
    {
        var sum = 0.0;
        for (var k = 1; k < Real.Length - 1; k++)
        {
            sum += Math.Sqrt(Real[k] * Real[k] + Imaginary[k] * Imaginary[k]);
        }

        return (2 * sum + Math.Abs(Real[0]) + Math.Abs(Real[^1])) / length;
    }

    private static void Multiply(double[] re, double[] im, double[] otherRe, double[] otherIm)
    {
        var a = MemoryMarshal.Cast<double, Vector<double>>(re.AsSpan());
        var b = MemoryMarshal.Cast<double, Vector<double>>(im.AsSpan());
        var c = MemoryMarshal.Cast<double, Vector<double>>(otherRe.AsSpan());
        var d = MemoryMarshal.Cast<double, Vector<double>>(otherIm.AsSpan());
        for (var i = 0; i < a.Length; i++)
        {
            (a[i], b[i]) = (a[i] * c[i] - b[i] * d[i], a[i] * d[i] + b[i] * c[i]);
        }

        for (var i = a.Length * Vector<double>.Count; i < re.Length; i++)
        {
            (re[i], im[i]) = (re[i] * otherRe[i] - im[i] * otherIm[i], re[i] * otherIm[i] + im[i] * otherRe[i]);
        }
    }
}
