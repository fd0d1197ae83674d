using System.Text;
using System.Text.Json;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol.Wire;

namespace Federated.Simulation.Tests.Serving;

/// <content>What the coordinator can see.</content>
public static partial class SecureSumTests
{
    public sealed class The_coordinator
    {
        [Fact]
        public async Task Takes_no_update_outside_of_a_sum()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(3), 3);
            await using var bare = new Federated.Simulation.Serving.InProcessTransport(world.Registry, SumWorld.NameOf(0));
            await bare.CheckInAsync("sums", new CheckInRequest(0, 0), default);
            var refused = await Assert.ThrowsAsync<Federated.Client.ClientException>(async () => await bare.DeclareAsync(
                "sums", 0, new UpdateDeclaration { Delta = new Federated.Protocol.BlobReference(new string('0', 64), 1), Examples = 1, LocalSteps = 1 }, default));
            Assert.Equal("not-masked", refused.Problem!.Type);
        }

        /// <summary>Everything that it was sent and everything that it keeps, searched for what opens a single update; and the same search where masks are off.</summary>
        [Fact]
        public async Task Holds_nothing_that_opens_a_single_update()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(6, minimum: 4), 6);
            await PlayAsync(world, i => i == 5 ? SecureSumSteps.Input : null);
            var received = world.Received.ToList();
            var kept = Directory.EnumerateFiles(world.Folder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock").Select(File.ReadAllBytes).ToList();
            Assert.NotEmpty(kept);
            for (var client = 0; client < 6; client++)
            {
                Assert.Equal("", Adversary.Finds(world, client, received, kept));
            }

            // Controls: an update as it is among the messages, a mask's seed, and both secrets of one member.
            var bare = received.ConvertAll(m => m is { Client: 2, Step: SecureSumSteps.Input } ? m with { Body = Adversary.Packed(world.WordsOf(2)) } : m);
            Assert.Contains("stands in", Adversary.Finds(world, 2, bare, kept), StringComparison.Ordinal);
            var (seed, masked) = (Enumerable.Range(7, 32).Select(b => (byte)b).ToArray(), world.WordsOf(2));
            PairwiseMask.Apply(masked, seed, 32, subtract: false);
            var leaked = received.ConvertAll(m => m is { Client: 2, Step: SecureSumSteps.Input } ? m with { Body = Adversary.Packed(masked) } : m);
            leaked.Add((3, SecureSumSteps.Unmask, [1, 2, .. seed, 3]));
            Assert.Contains("opens under", Adversary.Finds(world, 2, leaked, kept), StringComparison.Ordinal);
            var both = received.ToList();
            foreach (var (who, _, body) in received.Where(m => m.Step == SecureSumSteps.Unmask))
            {
                var shares = JsonSerializer.Deserialize(body, WireJson.Default.UnmaskShares)!;
                var swapped = shares with { MaskKeys = new Dictionary<int, byte[]>(shares.MaskKeys) { [2] = shares.SelfMasks.Values.First() } };
                both.Add((who, SecureSumSteps.Unmask, JsonSerializer.SerializeToUtf8Bytes(swapped, WireJson.Default.UnmaskShares)));
            }

            Assert.Contains("both secrets", Adversary.Finds(world, 2, both, kept), StringComparison.Ordinal);
        }
    }

    /// <summary>Looks for one client's update as whoever holds everything would.</summary>
    private static class Adversary
    {
        private const int Window = 32;

        public static byte[] Packed(uint[] words)
        {
            var bytes = new byte[WordPacking.Bytes(words.Length, 32)];
            WordPacking.Pack(words, 32, bytes);
            return bytes;
        }

        /// <returns>What was found; empty when nothing was.</returns>
        public static string Finds(SumWorld world, int client, IReadOnlyList<(int Client, string Step, byte[] Body)> received, IReadOnlyList<byte[]> kept)
        {
            // 1. The update itself, as words or as numbers.
            var words = world.WordsOf(client);
            var numbers = SumWorld.UpdateOf(client, world.Host.Parts.Layout.Count).SelectMany(BitConverter.GetBytes).ToArray();
            foreach (var needle in (byte[][])[Packed(words)[80..(80 + Window)], numbers[80..(80 + Window)]])
            {
                if (received.Any(m => m.Body.AsSpan().IndexOf(needle) >= 0) || kept.Any(f => f.AsSpan().IndexOf(needle) >= 0))
                {
                    return "the update stands in what the coordinator has";
                }
            }

            // 2. A keystream under any 32 bytes that are there, in JSON as text or decoded, added or subtracted.
            foreach (var (_, _, masked) in received.Where(m => m.Client == client && m.Step == SecureSumSteps.Input))
            {
                foreach (var bytes in received.Where(m => m.Step != SecureSumSteps.Input).SelectMany(m => Views(m.Body)).Concat(kept))
                {
                    for (var at = 0; at + Window <= bytes.Length; at++)
                    {
                        foreach (var subtract in (bool[])[false, true])
                        {
                            var head = new uint[4];
                            Assert.True(WordPacking.TryUnpack(masked.AsSpan(0, 16), 32, head));
                            PairwiseMask.Apply(head, bytes.AsSpan(at, Window), 32, subtract);
                            if (head.AsSpan().SequenceEqual(words.AsSpan(0, 4)))
                            {
                                return "the update opens under bytes that the coordinator has";
                            }
                        }
                    }
                }
            }

            // 3. Shares of both secrets of one member, whoever sent them.
            var (selfMasks, maskKeys) = (new HashSet<int>(), new HashSet<int>());
            foreach (var (_, _, body) in received.Where(m => m.Step == SecureSumSteps.Unmask && m.Body[0] == '{'))
            {
                var shares = JsonSerializer.Deserialize(body, WireJson.Default.UnmaskShares)!;
                selfMasks.UnionWith(shares.SelfMasks.Keys);
                maskKeys.UnionWith(shares.MaskKeys.Keys);
            }

            return selfMasks.Overlaps(maskKeys) ? "both secrets of a member were given away" : "";
        }

        /// <summary>A body, and every string in it that is base64.</summary>
        private static IEnumerable<byte[]> Views(byte[] body)
        {
            yield return body;
            foreach (var text in Encoding.UTF8.GetString(body).Split('"'))
            {
                var decoded = new byte[text.Length];
                if (text.Length >= 40 && Convert.TryFromBase64String(text, decoded, out var count))
                {
                    yield return decoded[..count];
                }
            }
        }
    }
}
