using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.SecureAggregation.Sessions;

public static class SessionTests
{
    private static bool All(int member, SessionPhase phase) => true;

    public sealed class The_sum
    {
        /// <summary>Every set of members dropping at every phase, for every n up to 6: exact over those who delivered, or none with a reason.</summary>
        [Theory]
        [InlineData(2)]
        [InlineData(3)]
        [InlineData(4)]
        [InlineData(5)]
        [InlineData(6)]
        public void Is_exact_or_the_session_fails_loudly_whoever_drops_out_when(int n)
        {
            var threshold = Meeting.TermsOf(n).CompleteThreshold(n);
            foreach (var phase in (SessionPhase[])[SessionPhase.ShareKeys, SessionPhase.MaskedInput, SessionPhase.Consistency, SessionPhase.Unmask])
            {
                for (var gone = 0; gone < 1 << n; gone++)
                {
                    using var meeting = new Meeting(n, Meeting.TermsOf(n, length: 5));
                    var end = meeting.Play((i, p) => p != phase || (gone >> i & 1) == 0);
                    var left = n - int.PopCount(gone);
                    if (left < threshold)
                    {
                        Assert.Equal(SessionPhase.Aborted, end);
                        Assert.NotEmpty(meeting.Server.Problem);
                        Assert.Throws<PrivacyException>(() => meeting.Server.Sum.Length);
                        continue;
                    }

                    Assert.True(end == SessionPhase.Done, $"n {n}, {phase}, gone {gone:b}: {meeting.Server.Problem}");
                    var summed = phase is SessionPhase.ShareKeys or SessionPhase.MaskedInput
                        ? Enumerable.Range(0, n).Where(i => (gone >> i & 1) == 0)
                        : Enumerable.Range(0, n);
                    Assert.Equal(meeting.SumOf(summed), meeting.Server.Sum.ToArray());
                }
            }
        }

        [Fact]
        public void Is_gone_once_it_is_forgotten_and_who_was_in_it_is_not()
        {
            using var meeting = new Meeting(3);
            Assert.Equal(SessionPhase.Done, meeting.Play(All));
            meeting.Server.Forget();
            Assert.Equal(0, meeting.Server.Sum.Length);
            Assert.Equal((3, 3), (meeting.Server.Members.Count, meeting.Server.Survivors.Length));
        }

        [Fact]
        public void Is_exact_when_others_drop_out_in_every_phase()
        {
            // t = 9 of 12: one leaves in each of three phases.
            using var meeting = new Meeting(12);
            var left = new Dictionary<int, SessionPhase> { [0] = SessionPhase.ShareKeys, [5] = SessionPhase.MaskedInput, [11] = SessionPhase.Unmask };
            Assert.Equal(SessionPhase.Done, meeting.Play((i, p) => !left.TryGetValue(i, out var at) || p < at));
            Assert.Equal(meeting.SumOf(Enumerable.Range(0, 12).Except([0, 5])), meeting.Server.Sum.ToArray());
        }

        /// <summary>30 % leave at one phase; of a hundred, on the sparse graph.</summary>
        [Theory]
        [InlineData(34, SessionPhase.ShareKeys)]
        [InlineData(100, SessionPhase.MaskedInput)]
        [InlineData(34, SessionPhase.Consistency)]
        [InlineData(34, SessionPhase.Unmask)]
        public void Is_exact_when_a_third_leaves(int n, SessionPhase phase)
        {
            var terms = Meeting.TermsOf(n, minimum: 3 * n / 5, corrupted: 0.05, dropout: 0.3);
            using var meeting = new Meeting(n, terms);
            using var random = new SimulationRandom((ulong)phase);
            var gone = random.NextSubset(n, 3 * n / 10).ToHashSet();
            var end = meeting.Play((i, p) => p != phase || !gone.Contains(i));
            Assert.Equal(n == 100 ? 66 : 22, meeting.Server.Parameters!.Degree);
            Assert.True(end == SessionPhase.Done, meeting.Server.Problem); // The graph's failure probability is 2⁻²⁰.
            var summed = Enumerable.Range(0, n).Where(i => phase > SessionPhase.MaskedInput || !gone.Contains(i));
            Assert.Equal(meeting.SumOf(summed), meeting.Server.Sum.ToArray());
        }

        [Fact]
        public void Of_a_hundred_fails_loudly_when_a_third_leaves_at_every_phase()
        {
            using var meeting = new Meeting(100, Meeting.TermsOf(100, minimum: 60, corrupted: 0.05, dropout: 0.3));
            using var random = new SimulationRandom(5);
            Assert.Equal(SessionPhase.Aborted, meeting.Play((_, p) => p == SessionPhase.Advertise || random.NextBelow(10) >= 3));
            Assert.Contains("60 are needed", meeting.Server.Problem, StringComparison.Ordinal);
        }
    }

    public sealed class A_masked_vector
    {
        [Fact]
        public void Is_uniform_whatever_the_vector_is()
        {
            // 250,000 words of 4 members: nibbles against uniform, by the test's stated false-alarm probability.
            using var meeting = new Meeting(4, Meeting.TermsOf(4, length: 250_000, bits: 32));
            Array.ForEach(meeting.Inputs, input => Array.Fill(input, 3u));
            meeting.Advertise(All);
            meeting.ShareKeys(All);
            meeting.Deliver(All);
            foreach (var vector in meeting.Masked.Values)
            {
                var counts = new long[16];
                foreach (var word in vector)
                {
                    counts[word >> 28]++;
                    counts[(word >> 12) & 15]++;
                }

                Statistics.AssertChiSquare(counts, [.. Enumerable.Repeat(1 / 16.0, 16)]);
            }

            // Nor do two of them have anything in common: of 250,000 words 0.00006 are expected to agree.
            Assert.True(meeting.Masked[0].Zip(meeting.Masked[1]).Count(p => p.First == p.Second) < 3);
        }

        [Fact]
        public void Is_under_another_keystream_in_every_session()
        {
            var seen = new HashSet<(uint, uint)>();
            for (var number = 0U; number < 3; number++)
            {
                using var meeting = new Meeting(3, Meeting.TermsOf(3, bits: 32), number);
                meeting.Advertise(All);
                meeting.ShareKeys(All);
                meeting.Deliver(All);
                foreach (var (member, vector) in meeting.Masked)
                {
                    Assert.True(seen.Add((vector[0] - meeting.Inputs[member][0], vector[1] - meeting.Inputs[member][1])));
                }
            }
        }

        [Fact]
        public void Hides_two_neighbours_under_one_key_in_two_numbers()
        {
            var (one, two) = (new byte[32], new byte[32]);
            PairwiseMask.DeriveSeed("s"u8, "session"u8, 1, 2, 1, one);
            PairwiseMask.DeriveSeed("s"u8, "session"u8, 1, 2, 2, two);
            Assert.NotEqual(one, two);
            Assert.NotEqual(SessionKeys.SelfSeed(new byte[32], one, 3, 1), SessionKeys.SelfSeed(new byte[32], one, 3, 2));
            Assert.NotEqual(SessionKeys.SelfSeed(new byte[32], one, 3, 1), SessionKeys.SelfSeed(new byte[32], two, 3, 1));
        }
    }

    public sealed class Fewer_shares_than_the_threshold
    {
        [Fact]
        public void Are_uniform_whatever_the_secret_is()
        {
            // Two of t = 3 shares of one fixed secret, 20,000 times: the top nibbles of both, jointly, against uniform.
            using var random = new SimulationRandom(17);
            var counts = new long[256];
            for (var i = 0; i < 20_000; i++)
            {
                var shares = ShamirSharing.Split([1, 2, 3, 4, 5, 6, 7], 3, 5, random);
                counts[(shares[0][0] >> 57 << 4) | (shares[3][0] >> 57)]++;
            }

            Statistics.AssertChiSquare(counts, [.. Enumerable.Repeat(1 / 256.0, 256)]);
        }
    }

    public sealed class The_graph
    {
        [Theory]
        [InlineData(100, 66)]
        [InlineData(31, 2)]
        [InlineData(7, 6)]
        public void Gives_everybody_as_many_neighbours_both_ways(int members, int degree)
        {
            var graph = new SessionGraph([1, 2, 3], members, degree);
            for (var u = 0; u < members; u++)
            {
                var neighbours = graph.NeighboursOf(u);
                Assert.Equal(degree, neighbours.Distinct().Count());
                Assert.DoesNotContain(u, neighbours);
                Assert.All(neighbours, v => Assert.Contains(u, graph.NeighboursOf(v)));
                Assert.Equal(degree + 1, graph.HoldersOf(u).Length);
            }
        }

        [Fact]
        public void Is_drawn_from_the_session()
        {
            var (a, b, c) = (new SessionGraph([1], 100, 6), new SessionGraph([1], 100, 6), new SessionGraph([2], 100, 6));
            Assert.Equal(a.NeighboursOf(40), b.NeighboursOf(40));
            Assert.Contains(Enumerable.Range(0, 100), u => !a.NeighboursOf(u).SequenceEqual(c.NeighboursOf(u)));
        }

        /// <summary>Computed with Python's hashlib and openssl enc -aes-256-ctr, of session 01.</summary>
        [Fact]
        public void Is_that_of_the_known_answer() => Assert.Equal([17, 68, 77, 81, 94, 98], new SessionGraph([1], 100, 6).NeighboursOf(0));
    }

    public sealed class Standard_counter_blocks
    {
        [Theory]
        [InlineData(false)]
        [InlineData(true)]
        public void Are_those_of_the_known_answer(bool usePlatform)
        {
            using var aes = new AesBlocks(usePlatform);
            aes.SetKey([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
            var stream = new byte[16 * 300];
            Assert.Equal(300UL, aes.EncryptStandard(stream, 0));
            Assert.Equal("f29000b62a499fd0a9f39a6add2e7780", Convert.ToHexStringLower(stream.AsSpan(0, 16)));
            var part = new byte[16];
            aes.EncryptStandard(part, 257);
            Assert.Equal(stream.AsSpan(16 * 257, 16).ToArray(), part);
        }
    }

    public sealed class Masks_in_blocks
    {
        [Fact]
        public void Are_the_same_on_any_number_of_threads()
        {
            var (one, many) = (new uint[200_000], new uint[200_000]);
            List<MaskTerm> masks = [new([.. Enumerable.Repeat((byte)1, 32)], false), new([.. Enumerable.Repeat((byte)2, 32)], true)];
            PairwiseMask.ApplyAll(one, masks, 20, maxThreads: 1);
            PairwiseMask.ApplyAll(many, masks, 20, maxThreads: 4);
            Assert.Equal(one, many);
            var singly = new uint[200_000];
            masks.ForEach(mask => PairwiseMask.Apply(singly, mask.Seed, 20, mask.Subtract));
            Assert.Equal(singly, one);
        }
    }
}
