using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Privacy.Numerics;

/// <summary>Forward complex Fourier transform of one power-of-two length, in place on two arrays of real and imaginary parts.</summary>
/// <remarks>
/// Stockham's autosort form (no bit reversal) with radix-4 passes and one radix-2 pass where the exponent is odd; the inner loops run
/// over contiguous data and are vectorised once the stride has reached the vector width. O(N) scratch per call.
/// </remarks>
internal sealed class ComplexFft
{
    private readonly int length;
    private readonly double[] cosines;
    private readonly double[] sines;

    public ComplexFft(int length)
    {
        this.length = length;
        cosines = new double[length];
        sines = new double[length];
        for (var k = 0; k < length; k++)
        {
            (sines[k], cosines[k]) = Math.SinCos(-2 * Math.PI * k / length);
        }
    }

    /// <summary>Transforms the first N values of both arrays.</summary>
    public void Transform(double[] real, double[] imaginary)
    {
        var (fromRe, fromIm) = (real, imaginary);
        var (toRe, toIm) = (GC.AllocateUninitializedArray<double>(length), GC.AllocateUninitializedArray<double>(length));
        var stride = 1;
        var remaining = length;
        while (remaining > 1)
        {
            if (remaining >= 4)
            {
                RadixFour(remaining, stride, fromRe, fromIm, toRe, toIm);
                remaining /= 4;
                stride *= 4;
            }
            else
            {
                RadixTwo(stride, fromRe, fromIm, toRe, toIm);
                remaining = 1;
                stride *= 2;
            }

            (fromRe, toRe) = (toRe, fromRe);
            (fromIm, toIm) = (toIm, fromIm);
        }

        if (fromRe != real)
        {
            fromRe.AsSpan(0, length).CopyTo(real);
            fromIm.AsSpan(0, length).CopyTo(imaginary);
        }
    }

    private static void RadixTwo(int stride, ReadOnlySpan<double> xr, ReadOnlySpan<double> xi, Span<double> yr, Span<double> yi)
    {
        for (var q = 0; q < stride; q++)
        {
            var (ar, ai, br, bi) = (xr[q], xi[q], xr[q + stride], xi[q + stride]);
            (yr[q], yi[q]) = (ar + br, ai + bi);
            (yr[q + stride], yi[q + stride]) = (ar - br, ai - bi);
        }
    }

    private void RadixFour(int n, int stride, ReadOnlySpan<double> xr, ReadOnlySpan<double> xi, Span<double> yr, Span<double> yi)
    {
        var quarter = n / 4;
        var wide = stride >= Vector<double>.Count;
        for (var p = 0; p < quarter; p++)
        {
            var (w1r, w1i) = (cosines[p * stride], sines[p * stride]);
            var (w2r, w2i) = (cosines[2 * p * stride], sines[2 * p * stride]);
            var (w3r, w3i) = (cosines[3 * p * stride], sines[3 * p * stride]);
            var source = stride * p;
            var step = stride * quarter;
            var target = 4 * stride * p;
            if (wide)
            {
                WideButterfly(stride, source, step, target, xr, xi, yr, yi, (w1r, w1i), (w2r, w2i), (w3r, w3i));
                continue;
            }

            for (var q = 0; q < stride; q++)
            {
                var i = source + q;
                var o = target + q;
                var (ar, ai) = (xr[i], xi[i]);
                var (br, bi) = (xr[i + step], xi[i + step]);
                var (cr, ci) = (xr[i + 2 * step], xi[i + 2 * step]);
                var (dr, di) = (xr[i + 3 * step], xi[i + 3 * step]);
                var (sumAcR, sumAcI) = (ar + cr, ai + ci);
                var (difAcR, difAcI) = (ar - cr, ai - ci);
                var (sumBdR, sumBdI) = (br + dr, bi + di);
                var (turnR, turnI) = (di - bi, br - dr);
                (yr[o], yi[o]) = (sumAcR + sumBdR, sumAcI + sumBdI);
                var (tr, ti) = (difAcR - turnR, difAcI - turnI);
                (yr[o + stride], yi[o + stride]) = (tr * w1r - ti * w1i, tr * w1i + ti * w1r);
                (tr, ti) = (sumAcR - sumBdR, sumAcI - sumBdI);
                (yr[o + 2 * stride], yi[o + 2 * stride]) = (tr * w2r - ti * w2i, tr * w2i + ti * w2r);
                (tr, ti) = (difAcR + turnR, difAcI + turnI);
                (yr[o + 3 * stride], yi[o + 3 * stride]) = (tr * w3r - ti * w3i, tr * w3i + ti * w3r);
            }
        }
    }

    private static void WideButterfly(
        int stride,
        int source,
        int step,
        int target,
        ReadOnlySpan<double> xr,
        ReadOnlySpan<double> xi,
        Span<double> yr,
        Span<double> yi,
        (double Re, double Im) w1,
        (double Re, double Im) w2,
        (double Re, double Im) w3)
    {
        var aR = Vectors(xr, source, stride);
        var aI = Vectors(xi, source, stride);
        var bR = Vectors(xr, source + step, stride);
        var bI = Vectors(xi, source + step, stride);
        var cR = Vectors(xr, source + 2 * step, stride);
        var cI = Vectors(xi, source + 2 * step, stride);
        var dR = Vectors(xr, source + 3 * step, stride);
        var dI = Vectors(xi, source + 3 * step, stride);
        var y0R = Vectors(yr, target, stride);
        var y0I = Vectors(yi, target, stride);
        var y1R = Vectors(yr, target + stride, stride);
        var y1I = Vectors(yi, target + stride, stride);
        var y2R = Vectors(yr, target + 2 * stride, stride);
        var y2I = Vectors(yi, target + 2 * stride, stride);
        var y3R = Vectors(yr, target + 3 * stride, stride);
        var y3I = Vectors(yi, target + 3 * stride, stride);
        var (w1r, w1i) = (new Vector<double>(w1.Re), new Vector<double>(w1.Im));
        var (w2r, w2i) = (new Vector<double>(w2.Re), new Vector<double>(w2.Im));
        var (w3r, w3i) = (new Vector<double>(w3.Re), new Vector<double>(w3.Im));
        for (var q = 0; q < aR.Length; q++)
        {
            var (sumAcR, sumAcI) = (aR[q] + cR[q], aI[q] + cI[q]);
            var (difAcR, difAcI) = (aR[q] - cR[q], aI[q] - cI[q]);
            var (sumBdR, sumBdI) = (bR[q] + dR[q], bI[q] + dI[q]);
            var (turnR, turnI) = (dI[q] - bI[q], bR[q] - dR[q]);
            (y0R[q], y0I[q]) = (sumAcR + sumBdR, sumAcI + sumBdI);
            var (tr, ti) = (difAcR - turnR, difAcI - turnI);
            (y1R[q], y1I[q]) = (tr * w1r - ti * w1i, tr * w1i + ti * w1r);
            (tr, ti) = (sumAcR - sumBdR, sumAcI - sumBdI);
            (y2R[q], y2I[q]) = (tr * w2r - ti * w2i, tr * w2i + ti * w2r);
            (tr, ti) = (difAcR + turnR, difAcI + turnI);
            (y3R[q], y3I[q]) = (tr * w3r - ti * w3i, tr * w3i + ti * w3r);
        }
    }

    private static ReadOnlySpan<Vector<double>> Vectors(ReadOnlySpan<double> span, int start, int count) =>
        MemoryMarshal.Cast<double, Vector<double>>(span.Slice(start, count));

    private static Span<Vector<double>> Vectors(Span<double> span, int start, int count) =>
        MemoryMarshal.Cast<double, Vector<double>>(span.Slice(start, count));
}
