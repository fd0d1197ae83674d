using System.Security.Cryptography;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sessions;

namespace Federated.Privacy.Tests.SecureAggregation.Sessions;

/// <summary>What a server, or another member, may try; and that nothing secret is left afterwards.</summary>
public static class TamperingTests
{
    private static bool All(int member, SessionPhase phase) => true;

    private static Meeting At(SessionPhase phase, int n = 5, Func<int, SessionPhase, bool>? stays = null)
    {
        var meeting = new Meeting(n);
        stays ??= All;
        Action<Func<int, SessionPhase, bool>>[] steps = [meeting.Advertise, meeting.ShareKeys, meeting.Deliver, meeting.Confirm];
        foreach (var step in steps.Take((int)phase))
        {
            step(stays);
        }

        return meeting;
    }

    private static void Refuses(string why, SessionClient client, Action step)
    {
        Assert.Contains(why, Assert.Throws<PrivacyException>(step).Message, StringComparison.Ordinal);
        Assert.Equal(SessionPhase.Aborted, client.Phase);
        Assert.True(client.IsErased);
    }

    public sealed class A_roster
    {
        private static void Is_refused(string why, Func<Advertisement[], Advertisement[]> change)
        {
            using var meeting = At(SessionPhase.ShareKeys);
            var roster = meeting.Server.Roster();
            Refuses(why, meeting.Clients[1], () => meeting.Clients[1].ShareKeys(roster with { Members = change([.. roster.Members]) }));
        }

        private static Advertisement[] With(Advertisement[] members, int at, Func<Advertisement, Advertisement> change)
        {
            members[at] = change(members[at]);
            return members;
        }

        [Fact]
        public void With_a_key_that_its_member_did_not_sign() => Is_refused("signature", m => With(m, 3, a => a with { MaskKey = SessionKeys.PointOf(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256)) }));

        /// <summary>On a sparse graph a member checks its neighbours, and whoever is forged has neighbours: all of them refuse, and nobody else has anything to do with it.</summary>
        [Fact]
        public void With_a_forged_key_is_refused_by_the_forged_one_s_neighbours()
        {
            const int members = 40, forged = 7;
            using var meeting = new Meeting(members, Meeting.TermsOf(members, corrupted: 0.05, dropout: 0.05, server: AggregationServer.SemiHonest));
            meeting.Advertise((_, _) => true);
            var roster = meeting.Server.Roster();
            var changed = roster with { Members = With([.. roster.Members], forged, a => a with { MaskKey = SessionKeys.PointOf(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256)) }) };
            var parameters = meeting.Terms.For(roster.Number, members);
            var near = new SessionGraph(SessionKeys.Session(parameters, changed.Members), members, parameters.Degree).NeighboursOf(forged);
            Assert.InRange(near.Length, 4, members / 2);
            for (var i = 0; i < members; i++)
            {
                var refusal = Record.Exception(() => meeting.Clients[i].ShareKeys(changed));
                Assert.Equal((i, i == forged || near.Contains(i)), (i, refusal is PrivacyException));
            }
        }

        [Fact]
        public void With_a_signature_for_another_run() => Is_refused("signature", m =>
        {
            using var other = new Meeting(5, Meeting.TermsOf(5) with { Run = "run-2" });
            other.Advertise(All);
            return With(m, 3, _ => other.Server.Roster().Members[3]);
        });

        [Fact]
        public void With_nobody_in_a_place() => Is_refused("nobody at 2", m => With(m, 2, _ => null!));

        /// <summary>OpenSSL has another exception for it than for a key that is damaged.</summary>
        [Fact]
        public void With_an_identity_on_a_curve_that_nobody_knows()
        {
            Is_refused("signature", m => With(m, 3, a => a with { IdentityKey = OnAnotherCurve(a.IdentityKey) }));
            using var meeting = new Meeting(2);
            var sent = meeting.Clients[0].Advertise();
            Assert.Equal("the signature does not fit the keys", meeting.Server.Add(sent with { IdentityKey = OnAnotherCurve(sent.IdentityKey) }));
        }

        /// <summary>The curve's identifier ends the algorithm's, 1.2.840.10045.3.1.7 for P-256.</summary>
        private static byte[] OnAnotherCurve(byte[] key)
        {
            var changed = (byte[])key.Clone();
            changed[22] ^= 1;
            return changed;
        }

        [Fact]
        public void With_one_key_twice() => Is_refused("in use already", m => With(m, 3, a => a with { CipherKey = m[2].CipherKey }));

        [Fact]
        public void With_one_identity_twice() => Is_refused("in use already", m => With(m, 3, a => a with { IdentityKey = m[2].IdentityKey }));

        [Fact]
        public void With_a_key_for_both_purposes() => Is_refused("in use already", m => With(m, 3, a => a with { CipherKey = a.MaskKey }));

        [Fact]
        public void With_ones_own_key_changed() => Is_refused("not its own", m => With(m, 1, a => a with { MaskKey = SessionKeys.PointOf(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256)) }));

        [Fact]
        public void Without_oneself() => Is_refused("does not name", m => [.. m.Where((_, i) => i != 1)]);

        [Fact]
        public void With_a_member_twice() => Is_refused("names one twice", m => [.. m.Take(4), m[3] with { CipherKey = m[4].CipherKey, MaskKey = m[4].MaskKey, IdentityKey = m[4].IdentityKey }]);

        [Fact]
        public void Of_fewer_than_the_minimum() => Is_refused("2 to 5 members", m => [m[1]]);

        [Fact]
        public void With_a_point_off_the_curve()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            Is_refused("point", m => With(m, 3, a =>
            {
                var bad = new byte[65];
                (bad[0], bad[40]) = (4, 9);
                return new Advertisement(
                    a.Member, bad, a.MaskKey, key.ExportSubjectPublicKeyInfo(),
                    key.SignData(SessionKeys.KeysSigned("run-1", a.Member, bad, a.MaskKey), HashAlgorithmName.SHA256));
            }));
        }

        [Fact]
        public void With_an_identity_that_the_client_does_not_know()
        {
            using var meeting = At(SessionPhase.ShareKeys);
            using var random = new CryptographicRandom();
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var sixth = new SessionClient(meeting.Terms with { Most = 6 }, Meeting.NameOf(9), key, random, (member, _) => member != Meeting.NameOf(2));
            var advertised = sixth.Advertise();
            Refuses("not one that this client knows", sixth, () => sixth.ShareKeys(new Roster(7, [.. meeting.Server.Roster().Members, advertised])));
        }
    }

    public sealed class Shares
    {
        [Fact]
        public void That_were_changed_on_their_way_end_the_session_for_who_gets_them()
        {
            using var meeting = At(SessionPhase.MaskedInput);
            var delivery = meeting.Server.DeliveryTo(0);
            delivery.Shares[2][20] ^= 1;
            Refuses("made by somebody else", meeting.Clients[0], () => meeting.Clients[0].Mask(delivery, new uint[37]));
            Assert.False(meeting.Clients[0].HasSent);
        }

        [Fact]
        public void For_somebody_else_do_not_open()
        {
            using var meeting = At(SessionPhase.MaskedInput);
            var delivery = meeting.Server.DeliveryTo(0);
            var swapped = new Dictionary<int, byte[]>(delivery.Shares) { [2] = meeting.Server.DeliveryTo(1).Shares[2] };
            Refuses("made by somebody else", meeting.Clients[0], () => meeting.Clients[0].Mask(delivery with { Shares = swapped }, new uint[37]));
        }

        [Fact]
        public void Of_too_few_neighbours_end_it_too()
        {
            using var meeting = At(SessionPhase.MaskedInput);
            var delivery = meeting.Server.DeliveryTo(0);
            Refuses("are needed", meeting.Clients[0], () => meeting.Clients[0].Mask(new ShareDelivery([0, 1], delivery.Shares.Where(s => s.Key == 1).ToDictionary()), new uint[37]));
        }

        [Fact]
        public void That_are_wrong_are_found_out_by_the_commitment_and_passed_over_when_there_are_others()
        {
            using var meeting = new Meeting(6); // t = 5 of 6.
            meeting.OnUnmask = (member, sent) =>
            {
                if (member == 2)
                {
                    sent.SelfMasks[4][39] ^= 1;
                }

                return sent;
            };
            Assert.Equal(SessionPhase.Done, meeting.Play(All));
            Assert.Equal(meeting.SumOf(Enumerable.Range(0, 6)), meeting.Server.Sum.ToArray());
        }

        [Fact]
        public void That_are_wrong_fail_the_session_loudly_when_none_can_be_spared()
        {
            using var meeting = new Meeting(6);
            meeting.OnUnmask = (member, sent) =>
            {
                if (member == 2)
                {
                    sent.MaskKeys[0][39] ^= 1;
                }

                return sent;
            };
            Assert.Equal(SessionPhase.Aborted, meeting.Play((i, p) => i != 0 || p < SessionPhase.MaskedInput));
            Assert.Contains("do not fit together", meeting.Server.Problem, StringComparison.Ordinal);
        }
    }

    public sealed class The_survivors
    {
        [Fact]
        public void Are_signed_once()
        {
            using var meeting = At(SessionPhase.Consistency);
            var client = meeting.Clients[0];
            var first = client.Confirm([0, 1, 2, 3]);
            Assert.Equal(first, client.Confirm([0, 1, 2, 3]));
            Refuses("sign others", client, () => client.Confirm([0, 1, 2, 4]));
        }

        [Theory]
        [InlineData(new[] { 0, 1 }, "are needed")]
        [InlineData(new[] { 0, 1, 1, 2 }, "ascending")]
        [InlineData(new[] { 0, 1, 2, 9 }, "ascending")]
        [InlineData(new[] { 1, 2, 3, 4 }, "lacks this member")]
        public void Are_not_signed_when_they_cannot_be(int[] survivors, string why)
        {
            using var meeting = At(SessionPhase.Consistency);
            Refuses(why, meeting.Clients[0], () => meeting.Clients[0].Confirm(survivors));
        }

        [Fact]
        public void Cannot_be_who_shared_no_keys()
        {
            using var meeting = At(SessionPhase.Consistency, stays: (i, p) => i != 4 || p == SessionPhase.Advertise);
            Refuses("had not shared keys", meeting.Clients[0], () => meeting.Clients[0].Confirm([0, 1, 2, 3, 4]));
        }
    }

    public sealed class Unmasking
    {
        private static (Meeting Meeting, UnmaskRequest Request) Asked()
        {
            var meeting = At(SessionPhase.Unmask, 6, (i, p) => i != 5 || p < SessionPhase.MaskedInput);
            Assert.Equal(SessionPhase.Unmask, meeting.Server.Phase);
            return (meeting, meeting.Server.UnmaskRequest());
        }

        private static void Is_refused(string why, Func<UnmaskRequest, UnmaskRequest> change)
        {
            var (meeting, request) = Asked();
            using (meeting)
            {
                Refuses(why, meeting.Clients[0], () => meeting.Clients[0].Unmask(change(request)));
            }
        }

        [Fact]
        public void Both_secrets_of_one_member_is_refused() => Is_refused("Both secrets of member 3", r => r with { Dropped = [3, 5] });

        [Fact]
        public void Other_survivors_than_were_signed_is_refused() => Is_refused("this member signed", r => r with { Survivors = [0, 1, 2, 3], Dropped = [4, 5] });

        [Fact]
        public void Without_those_who_dropped_out_is_refused() => Is_refused("said to have dropped out", r => r with { Dropped = [] });

        [Fact]
        public void A_member_named_twice_is_refused() => Is_refused("ascending", r => r with { Survivors = [0, 1, 1, 2, 3, 4] });

        [Fact]
        public void Somebody_who_is_no_member_is_refused() => Is_refused("ascending", r => r with { Dropped = [5, 6] });

        [Fact]
        public void Without_enough_signatures_is_refused() => Is_refused("signed these survivors", r => r with { Signatures = r.Signatures.Take(2).ToDictionary() });

        [Fact]
        public void With_signatures_of_other_survivors_is_refused() =>
            Is_refused("signed these survivors", r => r with { Signatures = r.Signatures.ToDictionary(s => s.Key, s => r.Signatures[(s.Key + 1) % 5]) });

        [Fact]
        public void A_second_time_is_refused()
        {
            var (meeting, request) = Asked();
            using (meeting)
            {
                var shares = meeting.Clients[0].Unmask(request);
                Assert.True(meeting.Clients[0].IsErased);
                Assert.Empty(shares.SelfMasks.Keys.Intersect(shares.MaskKeys.Keys));
                Assert.Contains("once", Assert.Throws<PrivacyException>(() => meeting.Clients[0].Unmask(request)).Message, StringComparison.Ordinal);
            }
        }

        [Fact]
        public void The_server_takes_no_second_answer()
        {
            var (meeting, request) = Asked();
            using (meeting)
            {
                var shares = meeting.Clients[0].Unmask(request);
                Assert.Null(meeting.Server.Add(0, shares));
                Assert.NotNull(meeting.Server.Add(0, shares));
            }
        }
    }

    public sealed class Secrets
    {
        [Fact]
        public void Are_erased_at_the_end()
        {
            using var meeting = new Meeting(4);
            meeting.Play(All);
            Assert.All(meeting.Clients, client => Assert.True(client.IsErased));
        }

        [Fact]
        public void Are_erased_when_a_member_leaves()
        {
            using var meeting = At(SessionPhase.Consistency);
            Assert.False(meeting.Clients[0].IsErased);
            meeting.Clients[0].Dispose();
            Assert.True(meeting.Clients[0].IsErased);
            Assert.Throws<PrivacyException>(() => meeting.Clients[0].Confirm([0, 1, 2, 3]));
        }
    }

    public sealed class Terms
    {
        [Fact]
        public void Give_every_client_the_same_numbers()
        {
            var terms = Meeting.TermsOf(100, minimum: 60, corrupted: 0.05, dropout: 0.3);
            Assert.Equal(new SessionParameters(terms, 3, 100, 66, 36, 60), terms.For(3, 100));
            Assert.Equal(new SessionParameters(terms with { Minimum = 2 }, 3, 10, 9, 7, 7), (terms with { Minimum = 2 }).For(3, 10));
            Assert.Throws<PrivacyException>(() => terms.For(3, 59));
            Assert.Throws<PrivacyException>(() => terms.For(3, 101));
        }

        [Fact]
        public void Need_more_honest_holders_than_colluding_ones() =>
            Assert.Equal(9, Meeting.TermsOf(10, corrupted: 0.8, server: AggregationServer.SemiHonest).CompleteThreshold(10));
    }
}
