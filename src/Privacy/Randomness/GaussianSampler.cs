using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Federated.Privacy.Randomness;

/// <summary>
/// Fast continuous Gaussian noise from any <see cref="IRandomSource"/>. It protects as the Gaussian mechanism does in real arithmetic; what
/// breaks that is floating point: the set of reachable outputs depends, in its last bits, on the value hidden. <see cref="AddOnGrid"/>
/// removes that channel; <see cref="DiscreteGaussian"/> is exact.
/// </summary>
/// <remarks>
/// Mironov, "On Significance of the Least Significant Bits For Differential Privacy", CCS 2012. Floats by <see cref="GaussianKernel"/>
/// (about 10⁹ bytes/s a core, cryptographic bytes included), doubles by the same transform in <see cref="Math"/>.
/// Blocks of 2¹⁶ coordinates run in parallel, each on its own stream: the same source gives the same noise on any number of threads.
/// </remarks>
public static class GaussianSampler
{
    /// <summary>Normals made per request of random bytes.</summary>
    private const int ChunkLength = 1 << 15;

    /// <summary>Overwrites with independent N(0, sigma²), from one stream on the calling thread.</summary>
    public static void Fill<T>(Span<T> destination, double sigma, IRandomSource random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(random);
        CheckSigma(sigma);
        if (typeof(T) == typeof(float))
        {
            FillSingle(MemoryMarshal.Cast<T, float>(destination), (float)sigma, random);
            return;
        }

        for (var i = 0; i < destination.Length; i += 2)
        {
            var (first, second) = NextPair(random);
            destination[i] = T.CreateTruncating(sigma * first);
            if (i + 1 < destination.Length)
            {
                destination[i + 1] = T.CreateTruncating(sigma * second);
            }
        }
    }

    /// <summary>values ← values·scale + N(0, sigma²), coordinate by coordinate, in parallel.</summary>
    /// <param name="maxThreads">0: as many as the machine has.</param>
    public static void ScaleAndAdd<T>(Span<T> values, double scale, double sigma, IRandomSource random, int maxThreads = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSigma(sigma);
        ForEachChunk(values, sigma, random, maxThreads, (chunk, noise) => MultiplyAdd(chunk, T.CreateTruncating(scale), noise));
    }

    /// <summary>values ← values + N(0, sigma²).</summary>
    public static void Add<T>(Span<T> values, double sigma, IRandomSource random, int maxThreads = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ScaleAndAdd(values, 1, sigma, random, maxThreads);

    /// <summary>
    /// values ← step·(values/step + ⌊N(0, sigma²)/step⌉): noise rounded to the grid that the values already lie on, so that every output is a
    /// grid point reachable from every input, and rounding is post-processing of the Gaussian mechanism on the integers.
    /// </summary>
    /// <param name="values">Integer multiples of <paramref name="step"/>; others are rounded to the nearest, which the caller must have
    /// accounted for in the sensitivity (see <see cref="Clipping.GridClip"/>).</param>
    /// <param name="step">Grid step, a power of two so that scaling is exact. sigma/step should be 2¹⁰ to 2¹⁸.</param>
    public static void AddOnGrid<T>(Span<T> values, double step, double sigma, IRandomSource random, int maxThreads = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSigma(sigma);
        CheckStep(step);
        ForEachChunk(values, sigma / step, random, maxThreads, (chunk, noise) => AddRoundedChunk(chunk, step, 1, noise));
    }

    /// <summary>values ← step·(⌊values/step⌉ + ⌊scale·noise⌉): as above, for noise that was drawn before.</summary>
    internal static void AddRounded<T>(Span<T> values, double step, double scale, ReadOnlySpan<T> noise)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckStep(step);
        if (values.Length != noise.Length)
        {
            throw new PrivacyException($"The noise has {noise.Length} coordinates; the values have {values.Length}.");
        }

        AddRoundedChunk(values, step, scale, noise);
    }

    private delegate void NoiseChunk<T>(Span<T> chunk, ReadOnlySpan<T> noise);

    private static void ForEachChunk<T>(Span<T> values, double sigma, IRandomSource random, int maxThreads, NoiseChunk<T> work)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        BlockParallel.ForEachBlock(values, random, maxThreads, (block, stream) =>
        {
            var noise = ArrayPool<T>.Shared.Rent(ChunkLength);
            for (var start = 0; start < block.Length; start += ChunkLength)
            {
                var chunk = block.Slice(start, Math.Min(ChunkLength, block.Length - start));
                Fill(noise.AsSpan(0, chunk.Length), sigma, stream);
                work(chunk, noise.AsSpan(0, chunk.Length));
            }

            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(noise.AsSpan()));
            ArrayPool<T>.Shared.Return(noise);
        });

    private static void MultiplyAdd<T>(Span<T> values, T scale, ReadOnlySpan<T> noise)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(values);
        var noiseVectors = MemoryMarshal.Cast<T, Vector<T>>(noise);
        var scales = new Vector<T>(scale);
        for (var i = 0; i < vectors.Length; i++)
        {
            vectors[i] = (vectors[i] * scales) + noiseVectors[i];
        }

        for (var i = vectors.Length * Vector<T>.Count; i < values.Length; i++)
        {
            values[i] = (values[i] * scale) + noise[i];
        }
    }

    private static void AddRoundedChunk<T>(Span<T> values, double step, double scale, ReadOnlySpan<T> noise)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var inverse = 1 / step;
        var done = 0;
        if (typeof(T) == typeof(float))
        {
            var vectors = MemoryMarshal.Cast<T, Vector<float>>(values);
            var noiseVectors = MemoryMarshal.Cast<T, Vector<float>>(noise);
            for (var i = 0; i < vectors.Length; i++)
            {
                Vector.Widen(vectors[i], out var low, out var high);
                Vector.Widen(noiseVectors[i], out var noiseLow, out var noiseHigh);
                low = (Vector.Round(low * inverse) + Vector.Round(noiseLow * scale)) * step;
                high = (Vector.Round(high * inverse) + Vector.Round(noiseHigh * scale)) * step;
                vectors[i] = Vector.Narrow(low, high);
            }

            done = vectors.Length * Vector<float>.Count;
        }

        for (var i = done; i < values.Length; i++)
        {
            var onGrid = Math.Round(double.CreateTruncating(values[i]) * inverse) + Math.Round(double.CreateTruncating(noise[i]) * scale);
            values[i] = T.CreateTruncating(onGrid * step);
        }
    }

    private static void FillSingle(Span<float> destination, float sigma, IRandomSource random)
    {
        const int wordsPerChunk = ChunkLength / 2 * 3;
        var padded = Math.Min(ChunkLength, (destination.Length + GaussianKernel.Granularity - 1) & -GaussianKernel.Granularity);
        var words = ArrayPool<uint>.Shared.Rent(padded == ChunkLength ? wordsPerChunk : padded / 2 * 3);
        Span<float> tail = stackalloc float[GaussianKernel.Granularity];
        while (!destination.IsEmpty)
        {
            var length = Math.Min(ChunkLength, destination.Length);
            var whole = length & -GaussianKernel.Granularity;
            if (whole != 0)
            {
                var request = words.AsSpan(0, whole / 2 * 3);
                random.Fill(MemoryMarshal.AsBytes(request));
                GaussianKernel.Generate(destination[..whole], request);
            }

            if (whole != length)
            {
                var request = words.AsSpan(0, GaussianKernel.Granularity / 2 * 3);
                random.Fill(MemoryMarshal.AsBytes(request));
                GaussianKernel.Generate(tail, request);
                tail[..(length - whole)].CopyTo(destination[whole..]);
            }

            Scale(destination[..length], sigma);
            destination = destination[length..];
        }

        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(words.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(tail));
        ArrayPool<uint>.Shared.Return(words);
    }

    private static void Scale(Span<float> values, float scale)
    {
        if (scale == 1)
        {
            return;
        }

        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        for (var i = 0; i < vectors.Length; i++)
        {
            vectors[i] *= scale;
        }

        for (var i = vectors.Length * Vector<float>.Count; i < values.Length; i++)
        {
            values[i] *= scale;
        }
    }

    private static (double First, double Second) NextPair(IRandomSource random)
    {
        // u = (k + ½)·2⁻⁶⁴ in two parts; below ½ its own logarithm, above it that of the complement.
        var k = random.NextUInt64();
        var log = k < 1UL << 63
            ? Math.Log((k + 0.5) * (1.0 / 18446744073709551616.0))
            : LogOneMinus((~k + 0.5) * (1.0 / 18446744073709551616.0));
        var radius = Math.Sqrt(-2 * log);
        var (sine, cosine) = Math.SinCos((random.NextUInt64() >> 11) * (2 * Math.PI / (1UL << 53)));
        return (radius * cosine, radius * sine);
    }

    /// <summary>ln(1 − x) for x ≤ ½ without cancellation (Kahan's correction).</summary>
    private static double LogOneMinus(double x)
    {
        var u = 1 - x;
        return u == 1 ? -x : Math.Log(u) * (-x / (u - 1));
    }

    private static void CheckStep(double step)
    {
        if (!double.IsNormal(step) || !double.IsPow2(step))
        {
            throw new PrivacyException($"The grid step must be a power of two, so that moving to and from the grid is exact; it is {step}.");
        }
    }

    private static void CheckSigma(double sigma)
    {
        if (!(sigma >= 0) || !double.IsFinite(sigma))
        {
            throw new PrivacyException($"The noise standard deviation must be finite and not negative; it is {sigma}.");
        }
    }
}
