using System.Text;
using Federated.Privacy.Hpke;
using Sealing = Federated.Privacy.Hpke.Hpke;

namespace Federated.Privacy.Tests.Hpke;

public sealed class HpkeTests
{
    /// <summary>RFC 9180, appendix A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base setup.</summary>
    public sealed class VectorsOfTheRfc
    {
        private static readonly byte[] Info = Hex("4f6465206f6e2061204772656369616e2055726e");
        private static readonly byte[] Plaintext = Hex("4265617574792069732074727574682c20747275746820626561757479");

        private static readonly byte[] Encapsulated = Hex(
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4");

        private static readonly byte[] RecipientPoint = Hex(
            "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0");

        private static readonly byte[] RecipientNumber = Hex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2");

        private static readonly byte[] EphemeralNumber = Hex("4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb");

        private static readonly Dictionary<int, string> Ciphertexts = new()
        {
            [0] = "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
            [1] = "fa6f037b47fc21826b610172ca9637e82d6e5801eb31cbd3748271affd4ecb06646e0329cbdf3c3cd655b28e82",
            [2] = "895cabfac50ce6c6eb02ffe6c048bf53b7f7be9a91fc559402cbc5b8dcaeb52b2ccc93e466c28fb55fed7a7fec",
            [4] = "8787491ee8df99bc99a246c4b3216d3d57ab5076e18fa27133f520703bc70ec999dd36ce042e44f0c3169a6a8f",
            [255] = "2ad71c85bf3f45c6eca301426289854b31448bcf8a8ccb1deef3ebd87f60848aa53c538c30a4dac71d619ee2cd",
            [256] = "10f179686aa2caec1758c8e554513f16472bd0a11e2a907dde0b212cbe87d74f367f8ffe5e41cd3e9962a6afb2",
        };

        [Theory, MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
        public void TheSenderMakesThem(string way)
        {
            using var recipient = HpkePublicKey.Read(RecipientPoint);
            using var ephemeral = HpkePrivateKey.Of(EphemeralNumber, Encapsulated, Ways.Of(way));
            var encapsulated = new byte[HpkeSuite.EncapsulatedBytes];
            using var context = HpkeContext.ForSender(HpkeSuite.Aes128, recipient, Info, encapsulated, canExport: true, ephemeral);
            Assert.Equal(Encapsulated, encapsulated);
            for (var sequence = 0; sequence <= 256; sequence++)
            {
                var ciphertext = new byte[Plaintext.Length + HpkeSuite.TagBytes];
                context.Seal(Encoding.ASCII.GetBytes($"Count-{sequence}"), Plaintext, ciphertext);
                if (Ciphertexts.TryGetValue(sequence, out var expected))
                {
                    Assert.Equal(expected, Convert.ToHexStringLower(ciphertext));
                }
            }

            AssertExports(context);
        }

        [Theory, MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
        public void TheRecipientReadsThem(string way)
        {
            using var recipient = HpkePrivateKey.Of(RecipientNumber, RecipientPoint, Ways.Of(way));
            using var context = HpkeContext.ForRecipient(HpkeSuite.Aes128, recipient, Info, Encapsulated)!;
            var opened = new byte[Plaintext.Length];
            for (var sequence = 0; sequence <= 256; sequence++)
            {
                var isKnown = Ciphertexts.TryGetValue(sequence, out var ciphertext);
                Assert.Equal(isKnown, context.TryOpen(Encoding.ASCII.GetBytes($"Count-{sequence}"), Hex(ciphertext ?? new string('0', 90)), opened));
                Assert.True(!isKnown || opened.AsSpan().SequenceEqual(Plaintext));
            }

            AssertExports(context);
        }

        private static void AssertExports(HpkeContext context)
        {
            Assert.Equal("5e9bc3d236e1911d95e65b576a8a86d478fb827e8bdfe77b741b289890490d4d", Convert.ToHexStringLower(context.Export([], 32)));
            Assert.Equal("6cff87658931bda83dc857e6353efe4987a201b849658d9b047aab4cf216e796", Convert.ToHexStringLower(context.Export([0], 32)));
            Assert.Equal("d8f1ea7942adbba7412c6d431c62d01371ea476b823eb697e1f6e6cae1dab85a", Convert.ToHexStringLower(context.Export("TestContext"u8, 32)));
        }
    }

    public sealed class OneMessage : IDisposable
    {
        private readonly HpkePrivateKey recipient = HpkePrivateKey.Generate();
        private readonly byte[] plaintext = Encoding.UTF8.GetBytes("a report");

        public void Dispose() => recipient.Dispose();

        [Fact]
        public void IsReadByItsRecipient() => Assert.Equal(plaintext, Open(Sealed()));

        [Fact]
        public void ReadsLikeNothingElseTwice() => Assert.NotEqual(Sealed(), Sealed());

        [Fact]
        public void IsReadWithAKeyThatWasStored()
        {
            using var stored = HpkePrivateKey.Import(recipient.Export());
            Assert.Equal(recipient.Point.ToArray(), stored.Point.ToArray());
            var opened = new byte[plaintext.Length];
            Assert.True(Sealing.TryOpen(stored, "for"u8, "of"u8, Sealed(), opened));
        }

        [Fact]
        public void OpensForNobodyElseAndForNothingElse()
        {
            using var other = HpkePrivateKey.Generate();
            var opened = new byte[plaintext.Length];
            Assert.False(Sealing.TryOpen(other, "for"u8, "of"u8, Sealed(), opened));
            Assert.False(Sealing.TryOpen(recipient, "four"u8, "of"u8, Sealed(), opened));
            Assert.False(Sealing.TryOpen(recipient, "for"u8, "off"u8, Sealed(), opened));
        }

        [Fact]
        public void DoesNotOpenWithAnyByteChangedOrAnyCutOff()
        {
            var message = Sealed();
            for (var i = 0; i < message.Length; i++)
            {
                var changed = (byte[])message.Clone();
                changed[i] ^= 1;
                Assert.Null(Open(changed));
                Assert.Null(Open(message[..i]));
            }
        }

        [Fact]
        public void PointsOffTheCurveAreNoKeys()
        {
            Assert.Null(HpkePublicKey.TryRead(new byte[HpkeSuite.EncapsulatedBytes]));
            Assert.Null(HpkePublicKey.TryRead(recipient.Point[..64]));
            var off = recipient.Point.ToArray();
            off[64] ^= 1;
            Assert.Null(HpkePublicKey.TryRead(off));
            Assert.Throws<PrivacyException>(() => HpkePublicKey.Read(off));
        }

        [Fact]
        public void KeysOfOtherCurvesAreRefused()
        {
            using var other = System.Security.Cryptography.ECDiffieHellman.Create(System.Security.Cryptography.ECCurve.CreateFromValue("1.3.132.0.10"));
            Assert.Throws<PrivacyException>(() => HpkePrivateKey.Import(other.ExportPkcs8PrivateKey()));
            Assert.Throws<PrivacyException>(() => HpkePrivateKey.Import([1, 2, 3]));
        }

        [Fact]
        public void BothSidesAgreeOnASecretPerUse()
        {
            using var other = HpkePrivateKey.Generate();
            using var mine = HpkePublicKey.Read(recipient.Point);
            using var theirs = HpkePublicKey.Read(other.Point);
            Assert.Equal(recipient.Agree(theirs, "use"u8), other.Agree(mine, "use"u8));
            Assert.NotEqual(recipient.Agree(theirs, "use"u8), other.Agree(mine, "other use"u8));
        }

        private byte[] Sealed()
        {
            using var key = HpkePublicKey.Read(recipient.Point);
            return Sealing.Seal(key, "for"u8, "of"u8, plaintext);
        }

        private byte[]? Open(byte[] message)
        {
            var opened = new byte[Math.Max(0, message.Length - HpkeSuite.Overhead)];
            return Sealing.TryOpen(recipient, "for"u8, "of"u8, message, opened) ? opened : null;
        }
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text);
}
