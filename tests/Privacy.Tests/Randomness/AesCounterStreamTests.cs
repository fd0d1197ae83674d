using System.Security.Cryptography;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Randomness;

public static class AesCounterStreamTests
{
    public sealed class Its_bytes
    {
        [Fact]
        public void Are_AES_256_of_the_counter_under_the_key_given()
        {
            // FIPS 197 appendix C.3: key 00..1f, plaintext 00112233..ff. Counter blocks are (nonce, counter), little-endian.
            var key = Convert.FromHexString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
            using var parent = new FixedBytes(key);
            using var streams = new RandomStreams(parent);
            using var stream = streams.Open(0x7766554433221100);
            var bytes = new byte[8192];
            stream.Fill(bytes);

            using var aes = Aes.Create();
            aes.Key = key;
            var counters = new byte[8192];
            for (var block = 0; block < 512; block++)
            {
                BitConverter.TryWriteBytes(counters.AsSpan(block * 16), 0x7766554433221100UL);
                BitConverter.TryWriteBytes(counters.AsSpan((block * 16) + 8), (ulong)block);
            }

            Assert.Equal(aes.EncryptEcb(counters, PaddingMode.None), bytes);
            Assert.Equal(Convert.FromHexString("8ea2b7ca516745bfeafc49904b496089"), aes.EncryptEcb(Convert.FromHexString("00112233445566778899aabbccddeeff"), PaddingMode.None));
        }

        [Fact]
        public void Are_the_same_by_instruction_and_by_platform_through_key_erasures()
        {
            var key = Convert.FromHexString("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
            using var fast = new AesCounterStream(key, nonce: 7);
            using var plain = new AesCounterStream(key, nonce: 7, usePlatform: true);
            var a = new byte[5000];
            var b = new byte[5000];
            for (var i = 0; i < 5; i++)
            {
                fast.Fill(a);
                plain.Fill(b);
                Assert.Equal(b, a);
            }
        }

        [Fact]
        public void Never_repeat_across_requests()
        {
            using var random = new SimulationRandom(1);
            var seen = new HashSet<ulong>();
            for (var i = 0; i < 20_000; i++)
            {
                Assert.True(seen.Add(random.NextUInt64())); // a repeat by chance: 1e-11
            }

            var bulk = new byte[1 << 16];
            random.Fill(bulk);
            for (var i = 0; i < bulk.Length; i += 8)
            {
                Assert.True(seen.Add(BitConverter.ToUInt64(bulk, i)));
            }
        }

        [Theory]
        [InlineData(1)]
        [InlineData(7)]
        [InlineData(4095)]
        [InlineData(4096)]
        [InlineData(4113)]
        [InlineData((1 << 20) + 9)]
        public void Fill_any_length(int length)
        {
            using var random = new SimulationRandom(2);
            var bytes = new byte[length + 8];
            random.Fill(bytes.AsSpan(0, length));
            Assert.All(bytes[length..], b => Assert.Equal(0, b));
            var tail = bytes[Math.Max(0, length - 64)..length];
            Assert.True(length < 16 || tail.Distinct().Count() > tail.Length / 3);
        }
    }

    public sealed class The_production_source
    {
        [Fact]
        public void Differs_between_two_instances_and_says_what_it_is()
        {
            using var one = new CryptographicRandom();
            using var two = new CryptographicRandom();
            Assert.NotEqual(one.NextUInt64(), two.NextUInt64());
            Assert.True(one.IsCryptographic);
        }

        [Fact]
        public void Takes_no_seed() =>
            Assert.Equal([0], typeof(CryptographicRandom).GetConstructors().Select(c => c.GetParameters().Length));
    }

    public sealed class The_simulation_source
    {
        [Fact]
        public void Repeats_and_says_that_it_protects_nobody()
        {
            using var one = new SimulationRandom(5);
            using var two = new SimulationRandom(5);
            using var other = new SimulationRandom(6);
            Assert.Equal(one.NextUInt64(), two.NextUInt64());
            Assert.NotEqual(one.NextUInt64(), other.NextUInt64());
            Assert.False(one.IsCryptographic);
            Assert.Contains("protects nobody", one.Description, StringComparison.Ordinal);
        }

        [Fact]
        public void Passes_its_nature_to_its_streams()
        {
            using var parent = new SimulationRandom(5);
            using var streams = new RandomStreams(parent);
            using var stream = streams.Open(3);
            Assert.False(stream.IsCryptographic);
        }
    }

    public sealed class Streams
    {
        [Fact]
        public void Are_independent_by_number_and_fresh_by_family()
        {
            using var parent = new SimulationRandom(5);
            using var first = new RandomStreams(parent);
            using var second = new RandomStreams(parent);
            var draws = new HashSet<ulong>();
            for (var i = 0; i < 100; i++)
            {
                using var a = first.Open(i);
                using var b = second.Open(i);
                Assert.True(draws.Add(a.NextUInt64()) && draws.Add(b.NextUInt64()));
            }
        }
    }

    private sealed class FixedBytes(byte[] bytes) : IRandomSource, IDisposable
    {
        public bool IsCryptographic => false;

        public string Description => "fixed";

        public void Fill(Span<byte> destination) => bytes.CopyTo(destination);

        public ulong NextUInt64() => 0;

        public void Dispose()
        {
        }
    }
}
