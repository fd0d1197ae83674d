using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Kernels;

/// <summary>Eight independent xoshiro256++ generators side by side: sixteen 32-bit draws per step, for one draw per coordinate.</summary>
/// <remarks>
/// Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 2021. Each lane's 256 bits of state are drawn from the
/// given generator, so that the same state of that gives the same stream, on any hardware.
/// </remarks>
internal struct LaneRandom
{
    private Vector512<ulong> s0, s1, s2, s3;

    public LaneRandom(SeededRandom random)
    {
        Span<ulong> state = stackalloc ulong[32];
        foreach (ref var word in state)
        {
            word = random.NextUInt64();
        }

        s0 = Vector512.Create<ulong>(state);
        s1 = Vector512.Create<ulong>(state[8..]);
        s2 = Vector512.Create<ulong>(state[16..]);
        s3 = Vector512.Create<ulong>(state[24..]);
    }

    /// <summary>Overwrites <paramref name="draws"/>, whose length is a multiple of 16, with uniform 32-bit integers.</summary>
    public void Fill(Span<uint> draws)
    {
        var (a, b, c, d) = (s0, s1, s2, s3);
        ref var target = ref MemoryMarshal.GetReference(draws);
        for (var i = 0; i + 16 <= draws.Length; i += 16)
        {
            var sum = a + d;
            var result = ((sum << 23) | (sum >>> 41)) + a;
            var t = b << 17;
            c ^= a;
            d ^= b;
            b ^= c;
            a ^= d;
            c ^= t;
            d = (d << 45) | (d >>> 19);
            result.AsUInt32().StoreUnsafe(ref target, (nuint)i);
        }

        (s0, s1, s2, s3) = (a, b, c, d);
    }
}
