using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Privacy.Hpke;
using Federated.Privacy.Hpke.Agreement;
using Sealing = Federated.Privacy.Hpke.Hpke;

namespace Federated.Privacy.Tests.Hpke;

public sealed class AgreementTests
{
    [Fact]
    public void WhatIsInUseIsToldAndIsLibcryptoWhereThatIsThere()
    {
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libcrypto.so.3", out _))
        {
            Assert.Matches("^OpenSSL 3.*libcrypto.so.3", Sealing.CurveInUse);
        }
        else
        {
            Assert.StartsWith(".NET", Sealing.CurveInUse, StringComparison.Ordinal);
        }
    }

    public sealed class TwoWays
    {
        /// <summary>Random pairs: both give the x-coordinate that the other side gets too.</summary>
        [Fact]
        public void GiveTheSameSecrets()
        {
            for (var i = 0; i < 40; i++)
            {
                using var one = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
                using var two = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
                var (a, b) = (AgreedBy(Ways.Platform, one, Point(two)), AgreedBy(Ways.InUse, one, Point(two)));
                Assert.NotNull(a);
                Assert.Equal(a, b);
                Assert.Equal(a, AgreedBy(Ways.InUse, two, Point(one)));
            }
        }

        /// <summary>Private numbers at both ends of [1, n − 1] and with long runs of zeros and ones.</summary>
        [Theory]
        [InlineData("1")]
        [InlineData("2")]
        [InlineData("3")]
        [InlineData("10")]
        [InlineData("80000000000000000000000000000000")]
        [InlineData("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
        [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550")]
        [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f")]
        [InlineData("8000000000000000000000000000000000000000000000000000000000000000")]
        public void GiveTheSameSecretsForUnlikelyNumbers(string number)
        {
            using var own = Of(number);
            using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            Assert.NotNull(AgreedBy(Ways.Platform, own, Point(other)));
            Assert.Equal(AgreedBy(Ways.Platform, own, Point(other)), AgreedBy(Ways.InUse, own, Point(other)));
        }

        [Fact]
        public void RefuseTheSameBytes()
        {
            using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            foreach (var bytes in BadPoints(Point(own)))
            {
                Assert.Null(AgreedBy(Ways.Platform, own, bytes));
                Assert.Null(AgreedBy(Ways.InUse, own, bytes));
                Assert.Null(HpkePublicKey.TryRead(bytes));
            }
        }

        /// <summary>A byte of a point changed leaves the curve, but for one case in 2^32 or so.</summary>
        [Fact]
        public void RefuseAPointWithAnyByteChanged()
        {
            using var own = Of("b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef");
            var point = Point(own);
            for (var i = 0; i < point.Length; i++)
            {
                var changed = (byte[])point.Clone();
                changed[i] ^= 1;
                Assert.Null(AgreedBy(Ways.Platform, own, changed));
                Assert.Null(AgreedBy(Ways.InUse, own, changed));
            }
        }

        private static byte[]? AgreedBy(string way, ECDiffieHellman own, byte[] point)
        {
            using var key = Ways.Of(way)(own);
            var secret = new byte[32];
            return key.TryAgree(point, secret) ? secret : null;
        }

        private static ECDiffieHellman Of(string number) => ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            D = Convert.FromHexString(number.PadLeft(64, '0')),
        });
    }

    public sealed class AKeyInUse
    {
        [Fact]
        public void IsSharedByThreads()
        {
            using var recipient = HpkePrivateKey.Generate();
            using var key = HpkePublicKey.Read(recipient.Point);
            var messages = Enumerable.Range(0, 64).Select(i => Sealing.Seal(key, "for"u8, "of"u8, [(byte)i])).ToArray();
            Parallel.For(0, 512, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
            {
                var opened = new byte[1];
                Assert.True(Sealing.TryOpen(recipient, "for"u8, "of"u8, messages[i % 64], opened));
                Assert.Equal(i % 64, opened[0]);
                Assert.False(Sealing.TryOpen(recipient, "for"u8, "of"u8, new byte[HpkeSuite.Overhead + 1], opened));
            });
        }

        [Fact]
        public void IsOfNoUseOnceItIsDisposedOf()
        {
            var recipient = HpkePrivateKey.Generate();
            using var key = HpkePublicKey.Read(recipient.Point);
            var message = Sealing.Seal(key, "for"u8, "of"u8, [1]);
            recipient.Dispose();
            recipient.Dispose();
            Assert.Throws<ObjectDisposedException>(() => Sealing.TryOpen(recipient, "for"u8, "of"u8, message, new byte[1]));
        }

        /// <summary>What libcrypto says of a refused point must not be found by .NET's next call.</summary>
        [Fact]
        public void LeavesNoErrorBehind()
        {
            using var recipient = HpkePrivateKey.Generate();
            var off = recipient.Point.ToArray();
            off[64] ^= 1;
            Assert.False(recipient.TryAgree(off, new byte[32]));
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            Assert.True(key.VerifyData(new byte[1], key.SignData(new byte[1], HashAlgorithmName.SHA256), HashAlgorithmName.SHA256));
        }
    }

    private static byte[] Point(ECDiffieHellman key) => HpkePublicKey.PointOf(key);

    /// <summary>Not on the curve, of the wrong length, compressed, hybrid, at infinity, with coordinates of p and above.</summary>
    private static IEnumerable<byte[]> BadPoints(byte[] point)
    {
        var p = BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224) + BigInteger.Pow(2, 192) + BigInteger.Pow(2, 96) - 1;
        var odd = (byte)(point[64] & 1);
        yield return [];
        yield return [0];
        yield return new byte[65];
        yield return [4, .. new byte[64]];
        yield return point[..64];
        yield return [.. point, 0];
        yield return [(byte)(2 + odd), .. point[1..33]];
        yield return [(byte)(2 + odd), .. point[1..]];
        yield return [(byte)(6 + odd), .. point[1..]];
        yield return [4, .. point[33..], .. point[1..33]];
        yield return [4, .. Bytes(p), .. point[33..]];
        yield return [4, .. point[1..33], .. Bytes(p)];
        yield return [4, .. Enumerable.Repeat((byte)255, 64)];

        // (5, y) is on the curve and 5 + p fits in 32 bytes: the same point by coordinates above p.
        var y = BigInteger.ModPow((125 - 15 + B) % p, (p + 1) / 4, p);
        Assert.Equal(BigInteger.Zero, ((y * y) - (125 - 15 + B)) % p);
        yield return [4, .. Bytes(5 + p), .. Bytes(y)];
    }

    private static BigInteger B => new(Convert.FromHexString("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"), isUnsigned: true, isBigEndian: true);

    private static byte[] Bytes(BigInteger number)
    {
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[32 - bytes.Length], .. bytes];
    }
}
