using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Tests.Robust;

public class PairwiseDistancesTests
{
    /// <summary>35·2⁻²⁴, as FloatDistances promises.</summary>
    private const double Tolerance = 2.1e-6;

    [Theory]
    [InlineData(1, 5, 0, 1)]
    [InlineData(2, 1, 0, 1)]
    [InlineData(3, 17, 0, 1)]
    [InlineData(9, 1000, 0, 1)]
    [InlineData(14, 33_000, 0, 1)]
    [InlineData(23, 20_003, 0, 1)]
    [InlineData(200, 640, 0, 1)]
    [InlineData(9, 20_000, 1000, 1e-3)] // A hair's breadth apart, far from 0: where a Gram product cancels.
    [InlineData(7, 3000, 0, 1e25)] // Squares overflow a float.
    [InlineData(7, 3000, 0, 1e-25)] // Squares underflow a float.
    public void Of_floats_are_right_to_a_float_whatever_their_scale(int n, int d, double centre, double spread)
    {
        var random = new SeededRandom((ulong)(n + d));
        var vectors = Enumerable.Range(0, n).Select(_ => Enumerable.Range(0, d).Select(_ => (float)random.NextNormal(centre, spread)).ToArray()).ToArray();
        Check(vectors, Tolerance);
    }

    [Theory]
    [InlineData(6, 100)]
    [InlineData(26, 25_450)]
    public void Of_equal_updates_are_zero_and_of_the_others_right(int n, int d)
    {
        var random = new SeededRandom(5);
        var vectors = Enumerable.Range(0, n).Select(_ => Enumerable.Range(0, d).Select(_ => (float)random.NextNormal(0, 1)).ToArray()).ToArray();
        vectors[4] = [.. vectors[1]];
        Check(vectors, 1e-13);
    }

    [Fact]
    public void Are_the_same_bits_on_any_number_of_threads()
    {
        var random = new SeededRandom(6);
        var vectors = Enumerable.Range(0, 11).Select(_ => Enumerable.Range(0, 60_000).Select(_ => (float)random.NextNormal(0, 1)).ToArray()).ToArray();
        Assert.Equal(Squared(vectors, 1), Squared(vectors, 3));
    }

    private static double[] Squared(float[][] vectors, int threads) =>
        PairwiseDistances.Squared(new HeldUpdates<float>([.. vectors.Select(v => (ReadOnlyMemory<float>)v)]) { Threads = threads });

    private static void Check(float[][] vectors, double tolerance)
    {
        var n = vectors.Length;
        var table = Squared(vectors, 2);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var expected = vectors[i].Zip(vectors[j], static (x, y) => ((double)x - y) * ((double)x - y)).Sum();
                Assert.InRange(table[(i * n) + j], expected * (1 - tolerance), expected * (1 + tolerance));
            }
        }
    }
}
