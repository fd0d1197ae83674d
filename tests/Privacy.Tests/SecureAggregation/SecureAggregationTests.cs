using System.Globalization;
using System.Security.Cryptography;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.SecureAggregation;

public static class SecureAggregationTests
{
    private static IEnumerable<(string Inputs, string Output)> Known(string kind) => VectorFile.Exists("secagg_kat")
        ? VectorFile.Read("secagg_kat", quoted: true).Where(r => r["kind"] == kind).Select(r => (r["inputs"], r["output"]))
        : [];

    private static ulong[] Numbers(string list) => [.. list.Split(' ').Select(n => ulong.Parse(n, CultureInfo.InvariantCulture))];

    private static string Field(string inputs, string name) => inputs.Split(';').Single(p => p.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];

    public sealed class The_graph
    {
        [Theory]
        [InlineData(1000, 0.05, 0.05, AggregationServer.SemiHonest, 30, 17)]
        [InlineData(1000, 0.1, 0.1, AggregationServer.SemiMalicious, 96, 67)]
        [InlineData(500, 0.05, 0.3, AggregationServer.SemiMalicious, 212, 119)]
        [InlineData(100, 0.0, 0.05, AggregationServer.SemiHonest, 6, 2)]
        public void Is_the_smallest_that_suffices(int n, double corrupted, double dropout, AggregationServer server, int degree, int threshold) =>
            Assert.Equal(new AggregationGraph(degree, threshold), AggregationGraph.Find(n, corrupted, dropout, server));

        [VectorFact("secaggplus_params")]
        public void All_match()
        {
            foreach (var row in VectorFile.Read("secaggplus_params"))
            {
                Is_the_smallest_that_suffices(
                    row.Integer("n"), row.Number("adversarial"), row.Number("dropout"),
                    row["model"] == "semi_honest" ? AggregationServer.SemiHonest : AggregationServer.SemiMalicious, row.Integer("degree_k"), row.Integer("threshold_t"));
            }
        }

        [Fact]
        public void Is_complete_where_no_sparse_one_suffices() => Assert.Null(AggregationGraph.Find(20, 0.33, 0.33, AggregationServer.SemiMalicious));

        [Fact]
        public void Draws_without_replacement_by_enumeration()
        {
            // 6 clients, 3 marked, 2 drawn: none, one or both marked in 3, 9 and 3 of 15 ways.
            Assert.Equal(12 / 15.0, AggregationGraph.Tail(6, 3, 2, 1), 1e-12);
            Assert.Equal(3 / 15.0, AggregationGraph.Tail(6, 3, 2, 2), 1e-12);
            Assert.Equal(1, AggregationGraph.Tail(6, 3, 2, 0), 1e-12);
        }

        [Theory]
        [InlineData(1, 0.1, 0.1)]
        [InlineData(100, -0.1, 0.1)]
        [InlineData(100, 0.5, 0.5)]
        public void Refuses_nonsense(int n, double corrupted, double dropout) =>
            Assert.Throws<PrivacyException>(() => AggregationGraph.Find(n, corrupted, dropout, AggregationServer.SemiHonest));
    }

    public sealed class A_mask
    {
        [Fact]
        public void Is_that_of_the_known_answers()
        {
            var secret = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
            var session = SHA256.HashData("session"u8);
            foreach (var (inputs, output) in Known("mask").Append((
                "lo=1;hi=2;round=0;bits=32", "seed=669cea812de795e1a6627a7f475584c843460099e5f477760040e58a8d8e2e42;first8=3243471391 3763149797 2540139675")))
            {
                uint Input(string name) => uint.Parse(Field(inputs, name), CultureInfo.InvariantCulture);
                var seed = new byte[PairwiseMask.SeedBytes];
                PairwiseMask.DeriveSeed(secret, session, Input("lo"), Input("hi"), Input("round"), seed);
                Assert.Equal(Field(output, "seed"), Convert.ToHexStringLower(seed));
                var vector = new uint[40_000];
                PairwiseMask.Apply(vector, seed, (int)Input("bits"), subtract: false);
                var expected = Numbers(Field(output, "first8"));
                Assert.Equal(expected, vector.Take(expected.Length).Select(v => (ulong)v));
            }
        }

        [Theory]
        [InlineData(32, 20_000)]
        [InlineData(20, 16_385)]
        [InlineData(1, 37)]
        public void Cancels_between_the_two_that_share_it(int bits, int length)
        {
            using var random = new SimulationRandom(291);
            var (seed, one, two) = (new byte[32], new uint[length], new uint[length]);
            random.Fill(seed);
            for (var i = 0; i < length; i++)
            {
                one[i] = (uint)(random.NextUInt64() >> (64 - bits));
                two[i] = (uint)(random.NextUInt64() >> (64 - bits));
            }

            var kept = uint.MaxValue >> (32 - bits);
            var sum = one.Zip(two, (a, b) => (a + b) & kept).ToArray();
            PairwiseMask.Apply(one, seed, bits, subtract: false);
            PairwiseMask.Apply(two, seed, bits, subtract: true);
            Assert.Equal(sum, one.Zip(two, (a, b) => (a + b) & kept));
            Assert.All(one, v => Assert.True(v <= kept));
        }

        [Fact]
        public void Is_uniform_and_another_one_in_every_round()
        {
            var (session, counts, previous) = (new byte[32], new long[16], new uint[50_000]);
            for (var round = 0U; round < 4; round++)
            {
                var seed = new byte[32];
                PairwiseMask.DeriveSeed("secret"u8, session, 0, 9, round, seed);
                var vector = new uint[50_000];
                PairwiseMask.Apply(vector, seed, 20, subtract: false);
                Assert.True(vector.Zip(previous).Count(p => p.First == p.Second) < 12);
                foreach (var v in vector)
                {
                    counts[v >> 16]++;
                }

                previous = vector;
            }

            Statistics.AssertChiSquare(counts, [.. Enumerable.Repeat(1 / 16.0, 16)]);
        }

        [Fact]
        public void Is_refused_where_it_would_not_cancel()
        {
            Assert.Throws<PrivacyException>(() => PairwiseMask.DeriveSeed([1], [2], 3, 3, 0, new byte[32]));
            Assert.Throws<PrivacyException>(() => PairwiseMask.Apply(new uint[3], new byte[16], 32, false));
            Assert.Throws<PrivacyException>(() => PairwiseMask.Apply(new uint[3], new byte[32], 33, false));
        }
    }

    public sealed class Shares
    {
        [Fact]
        public void Are_those_of_the_known_answers()
        {
            foreach (var (inputs, output) in Known("shamir").Append((
                "t=3;chunk=4;secret_chunk=488513312;c1=1003086420612;c2=1990740742599", "f(1..5)=2994315676523 9969624324932 20926414458539 35864686077344 54784439181347")))
            {
                ulong[] coefficients = [.. ((string[])["secret_chunk", "c1", "c2"]).Select(n => ulong.Parse(Field(inputs, n), CultureInfo.InvariantCulture))];
                Assert.Equal(Numbers(Field(output, "f(1..5)")), Enumerable.Range(1, 5).Select(x => ShamirSharing.Evaluate(coefficients, (ulong)x)));
            }

            Assert.Equal([2017612633061982209UL, 1729382256910270462, 864691128455135232], MersenneField.Large.Lagrange([1, 3, 5], 0));
            Assert.Equal(0x01020304050607UL, ShamirSharing.ReadChunk([0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 7], 1));
        }

        [Theory]
        [InlineData(32, 3, 5)]
        [InlineData(1, 1, 1)]
        [InlineData(15, 6, 9)]
        public void Give_the_secret_back_from_any_that_are_enough(int bytes, int threshold, int count)
        {
            using var random = new SimulationRandom(292);
            var secret = new byte[bytes];
            random.Fill(secret);
            var shares = ShamirSharing.Split(secret, threshold, count, random);
            for (var trial = 0; trial < 10; trial++)
            {
                int[] chosen = [.. random.NextSubset(count, threshold).Select(i => i + 1)];
                var result = new byte[bytes];
                ShamirSharing.Combine(chosen, [.. chosen.Select(i => shares[i - 1])], result);
                Assert.Equal(secret, result);
            }
        }

        [Fact]
        public void Say_nothing_one_short_of_enough()
        {
            // Two of three: the share of either position is uniform whatever the secret. Its top four bits over many sharings of the same secret.
            using var random = new SimulationRandom(293);
            var counts = new long[16];
            for (var i = 0; i < 8000; i++)
            {
                counts[ShamirSharing.Split([0, 0, 0], 3, 3, random)[i % 2][0] >> 57]++;
            }

            Statistics.AssertChiSquare(counts, [.. Enumerable.Repeat(1 / 16.0, 16)]);
        }

        [Fact]
        public void Are_refused_at_zero_twice_and_when_they_do_not_belong_together()
        {
            using var random = new SimulationRandom(294);
            var shares = ShamirSharing.Split([1, 2, 3], 2, 3, random);
            Assert.Throws<PrivacyException>(() => ShamirSharing.Combine([0, 1], shares[..2], new byte[3]));
            Assert.Throws<PrivacyException>(() => ShamirSharing.Combine([1, 1], shares[..2], new byte[3]));
            Assert.Throws<PrivacyException>(() => ShamirSharing.Combine([1, 2], shares[..2], new byte[30]));
            shares[0][0] ^= 1UL << 40;
            Assert.Throws<PrivacyException>(() => ShamirSharing.Combine([1, 2], shares[..2], new byte[3]));
            Assert.Throws<PrivacyException>(() => ShamirSharing.Split([1], 3, 2, random));
        }
    }

    public sealed class Coded_masks
    {
        [Fact]
        public void Are_those_of_the_known_answers()
        {
            var code = new LagrangeMask(clients: 4, privacy: 1, responses: 3);
            foreach (var (inputs, output) in Known("lightsecagg").Append((
                "z=11 22 33 44;noise=777 888;alpha=5", "basis=3 2147483639 6;share=4431 5042")))
            {
                var client = (int)Numbers(Field(inputs, "alpha"))[0] - 4;
                Assert.Equal(Numbers(Field(output, "basis")), code.Basis(client));
                Assert.Equal(Numbers(Field(output, "share")), code.Encode([11, 22, 33, 44], [777, 888], client).Select(v => (ulong)v));
            }
        }

        [Theory]
        [InlineData(5, 2, 4, 7)]
        [InlineData(6, 1, 3, 8)]
        public void Add_up_and_come_back_from_any_that_are_enough(int clients, int privacy, int responses, int dimension)
        {
            using var random = new SimulationRandom(295);
            var code = new LagrangeMask(clients, privacy, responses);
            var masks = Enumerable.Range(0, clients).Select(_ => Enumerable.Range(0, dimension).Select(_ => (uint)random.NextBelow((ulong)LagrangeMask.Modulus)).ToArray()).ToArray();
            var shares = masks.Select(m => code.Encode(m, random)).ToArray();
            int[] survivors = [.. Enumerable.Range(0, clients).Skip(1)]; // client 0 drops out: its mask is not summed
            uint[] Sum(IEnumerable<uint[]> rows) => rows.Aggregate((a, b) => [.. a.Zip(b, (x, y) => (uint)(((ulong)x + y) % LagrangeMask.Modulus))]);
            for (var trial = 0; trial < 5; trial++)
            {
                int[] answering = [.. random.NextSubset(clients, responses)];
                var sum = new uint[dimension];
                code.Decode(answering, [.. answering.Select(j => Sum(survivors.Select(i => shares[i][j])))], sum);
                Assert.Equal(Sum(survivors.Select(i => masks[i])), sum);
            }
        }

        [Fact]
        public void Are_refused_without_room_for_privacy() => Assert.Throws<PrivacyException>(() => new LagrangeMask(4, 3, 3));
    }
}
