using System.Buffers.Binary;
using System.Text.Json;
using FsCheck.Fluent;
using Federated.Protocol.Wire;

namespace Federated.Protocol.Tests.Wire;

public static class UpdateEnvelopeTests
{
    private static byte[] Bytes(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => (byte)((i * 31) + seed))];

    public sealed class AnEnvelope
    {
        [Fact]
        public void GivesBackWhatWasPutIn() => Messages.Check(
            Messages.Declaration.SelectMany(_ => Gen.Choose(0, 5000).Two(), (declaration, sizes) => (declaration, sizes)),
            draw =>
            {
                var (delta, extra) = (Bytes(draw.sizes.Item1, 1), Bytes(draw.sizes.Item2, 2));
                var declaration = UpdateEnvelope.Decode(UpdateEnvelope.Encode(draw.declaration, delta, extra), out var rest, out var error);
                Assert.Equal("", error);
                Assert.Equal([.. delta, .. extra], rest.ToArray());
                Assert.Equal(Text(draw.declaration), Text(declaration!));
            });

        [Fact]
        public void BeginsWithTheDeclarationsLengthInLittleEndian()
        {
            var declaration = new UpdateDeclaration { Delta = new BlobReference("00", 3), Examples = 1, LocalSteps = 1 };
            var envelope = UpdateEnvelope.Encode(declaration, new byte[] { 7, 8, 9 });
            var length = BinaryPrimitives.ReadUInt32LittleEndian(envelope);
            Assert.Equal(Text(declaration), System.Text.Encoding.UTF8.GetString(envelope, 4, (int)length));
            Assert.Equal([7, 8, 9], envelope[(4 + (int)length)..]);
        }
    }

    public sealed class Decoding
    {
        [Theory]
        [InlineData(new byte[0])]
        [InlineData(new byte[] { 1, 0, 0 })]
        [InlineData(new byte[] { 0, 0, 0, 0 })]
        [InlineData(new byte[] { 1, 0, 0, 0, 123 })]
        [InlineData(new byte[] { 255, 255, 255, 255, 123, 125 })]
        [InlineData(new byte[] { 0, 0, 0, 128, 123, 125 })]
        [InlineData(new byte[] { 2, 0, 0, 0, 123 })]
        [InlineData(new byte[] { 4, 0, 0, 0, (byte)'n', (byte)'u', (byte)'l', (byte)'l' })]
        public void RefusesWhatIsNone(byte[] bytes)
        {
            Assert.Null(UpdateEnvelope.Decode(bytes, out var rest, out var error));
            Assert.NotEqual("", error);
            Assert.True(rest.IsEmpty || rest.Length < bytes.Length);
        }

        [Fact]
        public void RefusesADeclarationThatIsTooLong()
        {
            var bytes = new byte[UpdateEnvelope.MaxDeclaration + 100];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, UpdateEnvelope.MaxDeclaration + 1);
            Assert.Null(UpdateEnvelope.Decode(bytes, out _, out var error));
            Assert.Contains("must be 2 to", error, StringComparison.Ordinal);
        }

        [Fact]
        public void NeverThrowsOnAnythingThatMayCome() => Messages.Check(
            Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(),
            bytes =>
            {
                if (bytes.Length > 4)
                {
                    (bytes[1], bytes[2], bytes[3]) = (0, 0, 0); // Lengths that fit are the ones that lead further.
                }

                _ = UpdateEnvelope.Decode(bytes, out _, out _);
            });

        [Fact]
        public void NeverThrowsOnADamagedEnvelope() => Messages.Check(
            Messages.Declaration.SelectMany(_ => Gen.Choose(0, 1 << 20), (declaration, damage) => (declaration, damage)),
            draw =>
            {
                var envelope = UpdateEnvelope.Encode(draw.declaration, Bytes(50, 3));
                envelope[draw.damage % envelope.Length] ^= (byte)(1 + (draw.damage % 255));
                _ = UpdateEnvelope.Decode(envelope, out _, out _);
            });
    }

    private static string Text(UpdateDeclaration declaration) => JsonSerializer.Serialize(declaration, WireJson.Default.UpdateDeclaration);
}
