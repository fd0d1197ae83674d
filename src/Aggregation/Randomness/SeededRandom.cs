using System.Numerics;
using System.Runtime.CompilerServices;

namespace Federated.Aggregation.Randomness;

/// <summary>
/// Deterministic, splittable random numbers for simulation, selection and initialisation: the same seed gives the same stream on
/// every platform and version. Never for privacy: that needs cryptographic randomness.
/// </summary>
/// <remarks>
/// Generator: xoshiro256** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 2021,
/// https://arxiv.org/abs/1805.01407), seeded by SplitMix64 as its authors advise. Streams are derived by hashing a label path into
/// the seed, so that one consumer's draws never shift another's. Mutable and not thread-safe: derive one per consumer.
/// </remarks>
public sealed class SeededRandom
{
    private ulong s0, s1, s2, s3;

    public SeededRandom(ulong seed)
    {
        s0 = SplitMix(ref seed);
        s1 = SplitMix(ref seed);
        s2 = SplitMix(ref seed);
        s3 = SplitMix(ref seed);
    }

    private SeededRandom(ulong a, ulong b, ulong c, ulong d) => (s0, s1, s2, s3) = (a, b, c, d);

    /// <summary>The generator's whole state, to be stored in a checkpoint.</summary>
    public (ulong S0, ulong S1, ulong S2, ulong S3) State => (s0, s1, s2, s3);

    /// <summary>Continues from a stored state.</summary>
    public static SeededRandom FromState((ulong S0, ulong S1, ulong S2, ulong S3) state) => new(state.S0, state.S1, state.S2, state.S3);

    /// <summary>A seed for the stream that <paramref name="label"/> and the indices name; independent of every other name's.</summary>
    public static ulong DeriveSeed(ulong seed, string label, params ReadOnlySpan<long> indices)
    {
        var hash = 0xcbf29ce484222325UL;
        foreach (var c in label)
        {
            hash = (hash ^ c) * 0x100000001b3UL;
        }

        var state = seed ^ hash;
        var mixed = SplitMix(ref state);
        foreach (var index in indices)
        {
            state = mixed ^ (ulong)index;
            mixed = SplitMix(ref state);
        }

        return mixed;
    }

    /// <summary>A generator for the stream that <paramref name="label"/> and the indices name.</summary>
    public static SeededRandom Derive(ulong seed, string label, params ReadOnlySpan<long> indices) => new(DeriveSeed(seed, label, indices));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(s1 * 5, 7) * 9;
        var t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = BitOperations.RotateLeft(s3, 45);
        return result;
    }

    /// <summary>Uniform on [0, 1) with 53 random bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform on {0, …, exclusiveMax − 1}, without modulo bias (Lemire 2019).</summary>
    public int NextInt(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        var range = (ulong)exclusiveMax;
        var high = Math.BigMul(NextUInt64(), range, out var low);
        if (low < range)
        {
            var threshold = (0UL - range) % range;
            while (low < threshold)
            {
                high = Math.BigMul(NextUInt64(), range, out low);
            }
        }

        return (int)high;
    }

    /// <summary>Fisher–Yates, in place.</summary>
    public void Shuffle<TItem>(Span<TItem> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong SplitMix(ref ulong state)
    {
        state += 0x9e3779b97f4a7c15UL;
        var z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }
}
