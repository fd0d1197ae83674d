using System.Numerics;
using System.Security.Cryptography;
using Federated.Aggregation.Randomness;
using Federated.Privacy.Hpke;
using Federated.Privacy.Hpke.Agreement;
using Sealing = Federated.Privacy.Hpke.Hpke;

namespace Federated.Privacy.Tests.Hpke;

/// <summary>Eight points at once: what is computed where the processor can, and what callers see, everywhere.</summary>
public sealed class LaneTests
{
    private const string Order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

    private static BigInteger P => BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224) + BigInteger.Pow(2, 192) + BigInteger.Pow(2, 96) - 1;

    public sealed class Numbers
    {
        /// <summary>The ends of the field, numbers with limbs of zeros and of ones, and random ones, against integers.</summary>
        [LanesFact]
        public void AreMultipliedSquaredAddedAndSubtractedModuloThePrime()
        {
            var random = new SeededRandom(20261121);
            List<BigInteger> numbers = [0, 1, 2, P - 1, P - 2, BigInteger.Pow(2, 52) - 1, BigInteger.Pow(2, 52), BigInteger.Pow(2, 208) - 1, BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224)];
            for (var i = 0; i < 24; i++)
            {
                numbers.Add(new BigInteger(Bytes(random), isUnsigned: true) % P);
            }

            var shrink = BigInteger.ModPow(BigInteger.Pow(2, 260) % P, P - 2, P);
            foreach (var a in numbers)
            {
                foreach (var b in numbers)
                {
                    var (x, y) = (FieldLanes.OfAll(a), FieldLanes.OfAll(b));
                    FieldLanes.Multiply(x, y, out var product);
                    AssertIs(a * b * shrink, product);
                    FieldLanes.Add(x, y, out var sum);
                    AssertIs(a + b, sum);
                    FieldLanes.Subtract(x, y, out var difference);
                    AssertIs(a - b, difference);
                    FieldLanes.SubtractShifted(difference, 2, sum, 3, out var far);
                    AssertIs((4 * (a - b)) - (8 * (a + b)), far);
                    FieldLanes.Multiply(far, difference, out product);
                    AssertIs(((4 * (a - b)) - (8 * (a + b))) * (a - b) * shrink, product);
                }

                FieldLanes.Square(FieldLanes.OfAll(a), out var square);
                AssertIs(a * a * shrink, square);
                FieldLanes.Triple(FieldLanes.OfAll(a), out var triple);
                AssertIs(3 * a, triple);
                FieldLanes.Square(triple, out square);
                AssertIs(9 * a * a * shrink, square);
            }
        }

        private static void AssertIs(BigInteger expected, in FieldLanes actual)
        {
            // Out of Montgomery's form twice, into it once: the number as it stands, below p.
            FieldLanes.Multiply(actual, FieldLanes.OfAll(BigInteger.Pow(2, 520) % P), out var standing);
            FieldLanes.Multiply(standing, FieldLanes.OfAll(1), out standing);
            var bytes = new byte[FieldLanes.Count * 32];
            FieldLanes.Write(standing, bytes);
            for (var lane = 0; lane < FieldLanes.Count; lane++)
            {
                Assert.Equal(((expected % P) + P) % P, new BigInteger(bytes.AsSpan(lane * 32, 32), isUnsigned: true, isBigEndian: true));
            }
        }
    }

    public sealed class Digits
    {
        [Fact]
        public void AddUpToTheNumberOrItsOpposite()
        {
            var random = new SeededRandom(20261122);
            var n = Number(Order);
            BigInteger[] numbers = [32, 33, n - 32, n - 33, BigInteger.Pow(2, 255), BigInteger.Pow(2, 255) - 1, .. Enumerable.Range(0, 50).Select(_ => new BigInteger(Bytes(random), isUnsigned: true) % n)];
            foreach (var k in numbers)
            {
                using var digits = NumberDigits.TryCreate(Bytes(k))!;
                var sum = BigInteger.Zero;
                for (var i = NumberDigits.Count - 1; i >= 0; i--)
                {
                    var (index, isNegative) = digits[i];
                    Assert.InRange(index, 0, 7);
                    Assert.True(isNegative is 0 or -1);
                    sum = (sum * 16) + (((2 * index) + 1) * (isNegative == 0 ? 1 : -1));
                }

                Assert.Equal(k.IsEven ? n - k : k, sum);
            }
        }

        [Fact]
        public void AreNotThereForNumbersThatCouldMeetThemselves()
        {
            foreach (BigInteger near in new BigInteger[] { 1, 2, 31, Number(Order) - 1, Number(Order) - 31 })
            {
                Assert.Null(NumberDigits.TryCreate(Bytes(near)));
            }
        }
    }

    public sealed class PointsTogether
    {
        [Theory]
        [InlineData("20")]
        [InlineData("21")]
        [InlineData("8000000000000000000000000000000000000000000000000000000000000000")]
        [InlineData("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
        [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632531")]
        [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632530")]
        [InlineData("1")]
        [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550")]
        [InlineData("c9806898a0334916c860748880a541f093b579a9b1f32934d86c363c39800357")]
        public void GiveWhatEachGivesAlone(string number)
        {
            using var made = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = Bytes(Number(number)) });
            using var key = HpkePrivateKey.Import(made.ExportPkcs8PrivateKey());
            using var alone = new PlatformAgreementKey(made);
            for (var count = 0; count <= Sealing.OpenedTogether; count++)
            {
                var points = new byte[count * 65];
                for (var i = 0; i < count; i++)
                {
                    using var other = HpkePrivateKey.Generate();
                    other.Point.CopyTo(points.AsSpan(i * 65));
                }

                AssertAgree(key, alone, points);
            }
        }

        /// <summary>x = 0 is on the curve; a secret may have leading zeros.</summary>
        [Fact]
        public void MayHaveAZeroForACoordinate()
        {
            var b = Number("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
            var point = new byte[65];
            point[0] = 4;
            Bytes(BigInteger.ModPow(b, (P + 1) / 4, P)).CopyTo(point, 33);
            using var made = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            using var key = HpkePrivateKey.Import(made.ExportPkcs8PrivateKey());
            using var alone = new PlatformAgreementKey(made);
            AssertAgree(key, alone, [.. point, .. point, .. point, .. point, .. point]);
        }

        [Fact]
        public void AreRefusedOneByOne()
        {
            using var made = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            using var key = HpkePrivateKey.Import(made.ExportPkcs8PrivateKey());
            using var alone = new PlatformAgreementKey(made);
            for (var bad = 0; bad < 256; bad += 5)
            {
                var points = new byte[8 * 65];
                for (var i = 0; i < 8; i++)
                {
                    using var other = HpkePrivateKey.Generate();
                    other.Point.CopyTo(points.AsSpan(i * 65));
                    points[(i * 65) + (bad % 65)] ^= (byte)((bad >> i) & 1);
                }

                AssertAgree(key, alone, points);
            }
        }

        private static void AssertAgree(HpkePrivateKey key, PlatformAgreementKey alone, byte[] points)
        {
            var count = points.Length / 65;
            var (secrets, agreed) = (new byte[count * 32], new bool[count]);
            key.Agree(points, secrets, agreed);
            for (var i = 0; i < count; i++)
            {
                var expected = new byte[32];
                Assert.Equal(alone.TryAgree(points.AsSpan(i * 65, 65), expected), agreed[i]);
                Assert.True(!agreed[i] || secrets.AsSpan(i * 32, 32).SequenceEqual(expected), $"Point {i} of {count} gives another secret among others than alone.");
            }
        }
    }

    public sealed class MessagesTogether
    {
        [Fact]
        public void OpenAsEachDoesAloneOnManyThreads()
        {
            using var recipient = HpkePrivateKey.Generate();
            using var stranger = HpkePrivateKey.Generate();
            using var key = HpkePublicKey.Read(recipient.Point);
            using var other = HpkePublicKey.Read(stranger.Point);
            var messages = Enumerable.Range(0, 8).Select(i => (ReadOnlyMemory<byte>)Sealing.Seal(i == 3 ? other : key, "for"u8, "of"u8, new byte[i])).ToArray();
            messages[5] = messages[5][..80];
            messages[6] = messages[6].ToArray();
            System.Runtime.InteropServices.MemoryMarshal.AsMemory(messages[6]).Span[^1] ^= 1;
            Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            {
                var opened = new bool[8];
                Sealing.OpenTogether(recipient, "for"u8, "of"u8, messages, Enumerable.Range(0, 8).Select(i => new byte[i].AsMemory()).ToArray(), opened);
                Assert.Equal([true, true, true, false, true, false, false, true], opened);
            });
        }

        [Fact]
        public void DoNotOpenOnceTheKeyIsDisposedOf()
        {
            var recipient = HpkePrivateKey.Generate();
            var points = Enumerable.Repeat(recipient.Point.ToArray(), 8).SelectMany(point => point).ToArray();
            recipient.Agree(points, new byte[8 * 32], new bool[8]);
            recipient.Dispose();
            Assert.Throws<ObjectDisposedException>(() => recipient.Agree(points, new byte[8 * 32], new bool[8]));
        }
    }

    private static BigInteger Number(string hex) => new(Convert.FromHexString(hex.PadLeft(hex.Length + (hex.Length % 2), '0')), isUnsigned: true, isBigEndian: true);

    private static byte[] Bytes(BigInteger number)
    {
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[32 - bytes.Length], .. bytes];
    }

    private static byte[] Bytes(SeededRandom random)
    {
        var bytes = new byte[32];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)random.NextUInt64();
        }

        return bytes;
    }

    /// <summary>What stands in for the lanes elsewhere is tested by the others.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class LanesFactAttribute : FactAttribute
    {
        public LanesFactAttribute() => Skip = FieldLanes.IsSupported ? null! : "This processor has no AVX-512 with 52-bit multiplication.";
    }
}
