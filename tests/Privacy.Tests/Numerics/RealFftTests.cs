using Federated.Aggregation.Randomness;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Tests.Numerics;

public static class RealFftTests
{
    private static double[] Samples(int length)
    {
        var random = SeededRandom.Derive(7, "fft", length);
        var samples = new double[length];
        foreach (ref var sample in samples.AsSpan())
        {
            sample = random.NextUInt64() / (double)ulong.MaxValue - 0.5;
        }

        return samples;
    }

    public sealed class Forward
    {
        [Theory]
        [InlineData(8)]
        [InlineData(16)]
        [InlineData(32)]
        [InlineData(64)]
        [InlineData(128)]
        [InlineData(256)]
        [InlineData(512)]
        public void Equals_the_definition(int length)
        {
            var samples = Samples(length);
            var fft = RealFft.OfLength(length);
            var (real, imaginary) = (new double[fft.Frequencies], new double[fft.Frequencies]);
            fft.Forward(samples, real, imaginary);
            for (var k = 0; k < fft.Frequencies; k++)
            {
                var (re, im) = (0.0, 0.0);
                for (var j = 0; j < length; j++)
                {
                    var (sin, cos) = Math.SinCos(-2 * Math.PI * ((long)j * k % length) / length);
                    re += samples[j] * cos;
                    im += samples[j] * sin;
                }

                Near.Absolute(re, real[k], 1e-13, $"Re X[{k}]");
                Near.Absolute(im, imaginary[k], 1e-13, $"Im X[{k}]");
            }
        }
    }

    public sealed class Inverse
    {
        [Theory]
        [InlineData(8)]
        [InlineData(1024)]
        [InlineData(8192)]
        [InlineData(1 << 17)]
        public void Restores_the_samples_within_the_stated_error(int length)
        {
            var samples = Samples(length);
            var fft = RealFft.OfLength(length);
            var (real, imaginary, back) = (new double[fft.Frequencies], new double[fft.Frequencies], new double[length]);
            fft.Forward(samples, real, imaginary);
            fft.Inverse(real, imaginary, back);
            var error = Math.Sqrt(samples.Zip(back, (a, b) => (a - b) * (a - b)).Sum());
            var norm = Math.Sqrt(samples.Sum(a => a * a));
            Assert.True(error <= 2 * fft.RelativeError * norm, $"relative error {error / norm:E2}, stated {2 * fft.RelativeError:E2}");
        }
    }

    public sealed class OfLength
    {
        [Theory]
        [InlineData(4)]
        [InlineData(12)]
        public void Refuses_other_lengths(int length) => Assert.Throws<ArgumentOutOfRangeException>(() => RealFft.OfLength(length));
    }
}
