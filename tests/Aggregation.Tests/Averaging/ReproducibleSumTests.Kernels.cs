using System.Numerics;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.Averaging;

/// <content>The vector code beneath, against the plain one.</content>
public partial class ReproducibleSumTests
{
    public unsafe class Kernels
    {
        [Fact]
        public void Of_256_and_512_bits_do_the_same()
        {
            Check<float>();
            Check<double>();
        }

        private static void Check<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var random = SeededRandom.Derive(8, "kernels");
            for (var run = 0; run < 50; run++)
            {
                var values = Enumerable.Range(0, 512).Select(_ => T.CreateTruncating(random.NextNormal() * Math.ScaleB(1, random.NextInt(100) - 60))).ToArray();
                if (run % 10 == 9)
                {
                    values[random.NextInt(512)] = T.NaN;
                }

                var a = GC.AllocateArray<long>(BinnedBlock.Longs + 8, pinned: true);
                var b = GC.AllocateArray<long>(BinnedBlock.Longs + 8, pinned: true);
                fixed (T* x = values)
                fixed (long* p = a, q = b)
                {
                    var pa = (long*)(((nint)p + 63) & ~63);
                    var qa = (long*)(((nint)q + 63) & ~63);
                    var limit = Bins.Limit(0) / 0.7;
                    var first = BinnedBlock.Accumulate512<T, Plus>(x, x, 0.7, pa, 0, limit);
                    var second = BinnedBlock.Accumulate256<T, Plus>(x, x, 0.7, qa, 0, limit);
                    Assert.Equal(first, second);
                    Assert.True(new ReadOnlySpan<long>(pa, BinnedBlock.Longs).SequenceEqual(new ReadOnlySpan<long>(qa, BinnedBlock.Longs)));
                    BinnedBlock.Accumulate512<T, Minus>(x, x, 0.7, pa, 0, limit);
                    Assert.True(new ReadOnlySpan<long>(pa, BinnedBlock.Longs).IndexOfAnyExcept(0) < 0, "taking out leaves a trace");
                }
            }
        }
    }

    public class Bin_of_a_magnitude
    {
        [Fact]
        public void Is_the_finest_that_takes_it()
        {
            for (var e = -1060; e < 1011; e++)
            {
                foreach (var magnitude in new[] { Math.ScaleB(1, e), Math.ScaleB(1.999, e) })
                {
                    var bin = Bins.Of(magnitude);
                    Assert.InRange(bin, Bins.Lowest, Bins.Highest);
                    Assert.True(magnitude < Bins.Limit(bin));
                    Assert.True(bin == Bins.Lowest || magnitude >= Bins.Limit(bin - 1));
                }
            }

            Assert.True(Bins.Of(Math.ScaleB(1, 1011)) > Bins.Highest);
        }
    }
}
