using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Identity;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Tests.Identity;

/// <summary>Who may do what, asked at any silo.</summary>
public abstract class ClusterIdentitiesTests(short silos)
{
    [Fact]
    public async Task What_one_silo_enrolled_every_silo_knows()
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        var doors = await DoorsAsync(cluster);
        var (_, token) = await doors[0].CreateEnrolmentTokenAsync("ward 7", null, reusable: false);
        var device = new Device();
        var (client, refusal) = await doors[^1].EnrolAsync(token, device.PublicKey, "ward 7");
        Assert.Equal(Refusal.None, refusal);
        Assert.Equal((client, Refusal.None), await doors[0].EnrolAsync(token, device.PublicKey, "ward 7"));
        Assert.Single(doors.Select(d => d.Coordinator).Distinct());

        var (access, seconds, _, _) = await doors[0].ExchangeAsync(device.Assertion(client!, doors[0].Coordinator));
        Assert.Equal(600, seconds);
        foreach (var door in doors)
        {
            var (who, _) = await door.AuthenticateAsync(access!);
            Assert.Equal((Role.Client, client, "ward 7"), (who!.Role, who.Id, who.Name));
            Assert.Equal(["ward 7", null], await door.NamesAsync([client!, "c-nobody"]));
            Assert.Equal(client, Assert.Single(await door.ClientsAsync()).Client);
            Assert.Equal("used", Assert.Single(await door.TokensAsync()).State);
            Assert.Equal(Refusal.CredentialInvalid, (await door.AuthenticateAsync(token)).Refusal);
        }
    }

    [Fact]
    public async Task A_token_of_one_time_is_used_by_one_client_however_many_silos_are_asked_at_once()
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        var doors = await DoorsAsync(cluster);
        for (var round = 0; round < 10; round++)
        {
            var (_, token) = await doors[0].CreateEnrolmentTokenAsync("once", null, reusable: false);
            var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => doors[i % doors.Length].EnrolAsync(token, new Device().PublicKey, $"device {i}").AsTask()));
            Assert.Single(replies, r => r.Refusal == Refusal.None);
            Assert.All(replies.Where(r => r.Client is null), r => Assert.Equal(Refusal.EnrolmentTokenUsed, r.Refusal));
        }
    }

    [Fact]
    public async Task An_assertion_is_taken_once_however_many_silos_are_asked_at_once_and_after_a_silo_died()
    {
        await using var cluster = await TestSilos.StartAsync(silos, kills: true);
        var doors = await DoorsAsync(cluster);
        var (device, client) = await EnrolAsync(doors[0]);
        var assertion = device.Assertion(client, doors[0].Coordinator);
        var replies = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => doors[i % doors.Length].ExchangeAsync(assertion).AsTask()));
        Assert.Single(replies, r => r.Refusal == Refusal.None);
        Assert.All(replies.Where(r => r.Token is null), r => Assert.Equal(Refusal.AssertionReplayed, r.Refusal));

        await cluster.KillAsync(silos - 1);
        Assert.Equal(Refusal.AssertionReplayed, (await doors[0].ExchangeAsync(assertion)).Refusal);
    }

    [Fact]
    public async Task A_revocation_is_seen_at_every_silo()
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        var doors = await DoorsAsync(cluster);
        var (device, client) = await EnrolAsync(doors[0]);
        var (access, _, _, _) = await doors[^1].ExchangeAsync(device.Assertion(client, doors[0].Coordinator));
        var (id, viewer) = await doors[0].CreateAccessTokenAsync(Role.Viewer, "board", TimeSpan.FromHours(1));
        foreach (var door in doors)
        {
            Assert.Equal(Refusal.None, (await door.AuthenticateAsync(access!)).Refusal);
            Assert.Equal(Role.Viewer, (await door.AuthenticateAsync(viewer)).Who!.Role);
        }

        Assert.True(await doors[0].RevokeAsync(client, "lost"));
        Assert.True(await doors[0].RevokeAsync(id, "lost"));
        Assert.False(await doors[0].RevokeAsync("c-nobody", "lost"));
        foreach (var door in doors)
        {
            Assert.Equal(Refusal.TokenRevoked, (await door.AuthenticateAsync(access!)).Refusal);
            Assert.Equal(Refusal.TokenRevoked, (await door.AuthenticateAsync(viewer)).Refusal);
            Assert.Equal(Refusal.TokenRevoked, (await door.ExchangeAsync(device.Assertion(client, door.Coordinator))).Refusal);
            Assert.NotNull(Assert.Single(await door.ClientsAsync()).RevokedAt);
        }
    }

    [Fact]
    public async Task A_new_key_replaces_the_old_one_at_once()
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        var doors = await DoorsAsync(cluster);
        var (device, client) = await EnrolAsync(doors[0]);
        Assert.Equal(Refusal.None, (await doors[0].ExchangeAsync(device.Assertion(client, doors[0].Coordinator))).Refusal);
        var next = new Device();
        Assert.Equal(Refusal.None, await doors[^1].RotateAsync(client, next.PublicKey));
        Assert.Equal(Refusal.AssertionInvalid, (await doors[0].ExchangeAsync(device.Assertion(client, doors[0].Coordinator))).Refusal);
        Assert.Equal(Refusal.None, (await doors[0].ExchangeAsync(next.Assertion(client, doors[0].Coordinator))).Refusal);
    }

    [Fact]
    public async Task Nothing_is_forgotten_when_a_silo_dies_under_those_who_enrol()
    {
        await using var cluster = await TestSilos.StartAsync(silos, kills: true);
        var doors = await DoorsAsync(cluster);
        var (_, token) = await doors[0].CreateEnrolmentTokenAsync("all", null, reusable: true);
        var enrolling = Enumerable.Range(0, 200).Select(async i =>
        {
            await Task.Yield();
            return await doors[0].EnrolAsync(token, new Device().PublicKey, $"device {i}");
        }).ToArray();
        await cluster.KillAsync(silos - 1);
        var replies = await Task.WhenAll(enrolling);
        Assert.All(replies, r => Assert.Equal(Refusal.None, r.Refusal));
        var clients = await doors[0].ClientsAsync();
        Assert.Equal(replies.Select(r => r.Client!).Order(StringComparer.Ordinal), clients.Select(c => c.Client).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Strangers_are_told_so_and_leave_nothing_behind()
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        var doors = await DoorsAsync(cluster);
        var device = new Device();
        Assert.Equal(Refusal.ClientUnknown, (await doors[0].ExchangeAsync(device.Assertion("c-nobody", doors[0].Coordinator))).Refusal);
        Assert.Equal(Refusal.CredentialInvalid, (await doors[0].AuthenticateAsync("fop_nothing")).Refusal);
        Assert.Equal(Refusal.EnrolmentTokenInvalid, (await doors[0].EnrolAsync("fen_nothing", device.PublicKey, "x")).Refusal);
        Assert.Equal(Refusal.KeyInvalid, (await doors[0].EnrolAsync("fen_nothing", "no key", "x")).Refusal);
        Assert.Empty(await doors[0].ClientsAsync());

        // A certificate that the authority signed enrols by itself.
        Assert.Equal("ward-9", (await doors[^1].AuthenticateCertificateAsync("ward-9")).Who!.Id);
        Assert.False(Assert.Single(await doors[0].ClientsAsync()).HasKey);
    }

    [Fact]
    public async Task What_a_client_took_part_in_is_kept_beyond_its_silo()
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        var doors = await DoorsAsync(cluster);
        var (_, client) = await EnrolAsync(doors[0]);
        var grain = cluster.Grains(0).GetGrain<IClientGrain>(client);
        for (var i = 0; i < 3; i++)
        {
            // Nobody waits for these calls, and they come in any order: as in life, where training lies in between, one after the other here.
            var (id, given, used) = (new AssignmentId(i), new Participation("a", 4, i + 1, i), new Participation("a", 4, i + 1, i + 1));
            await grain.GrantedAsync("a", new ClientId(4), id);
            await Eventually.HoldsAsync(async () => (await doors[0].DescribeAsync(client))!.Note!.Runs.Contains(given));
            await grain.GrantedAsync("a", new ClientId(4), id); // Asked again after its connection broke: the same assignment.
            await grain.TakenAsync("a", new ClientId(4), id, steps: 5);
            await Eventually.HoldsAsync(async () => (await doors[0].DescribeAsync(client))!.Note!.Runs.Contains(used));
        }

        await grain.GrantedAsync("b", new ClientId(0), new AssignmentId(9));
        var expected = (Participation[])[new("a", 4, 3, 3), new("b", 0, 1, 0)];
        await Eventually.HoldsAsync(async () => (await doors[0].DescribeAsync(client))!.Note!.Runs.SequenceEqual(expected));
        for (var silo = silos - 1; silo > 0; silo--)
        {
            await cluster.StopAsync(silo); // Wherever the grain was: at the end it is here.
        }

        await Eventually.HoldsAsync(async () => (await doors[0].DescribeAsync(client))!.Note!.Runs.SequenceEqual(expected));
        Assert.True((await doors[0].DescribeAsync(client))!.Note!.LastSeen > 0);
    }

    [Fact]
    public async Task The_list_of_clients_tells_what_their_grains_noted_when_they_left()
    {
        await using var cluster = await TestSilos.StartAsync(silos);
        var doors = await DoorsAsync(cluster);
        var (_, token) = await doors[0].CreateEnrolmentTokenAsync("all", null, reusable: true);
        for (var i = 0; i < 16; i++)
        {
            var (client, _) = await doors[^1].EnrolAsync(token, new Device().PublicKey, $"ward {i}");
            await cluster.Grains(silos - 1).GetGrain<IClientGrain>(client!).GrantedAsync("a", new ClientId(i), new AssignmentId(i));
        }

        for (var silo = silos - 1; silo > 0; silo--)
        {
            await cluster.StopAsync(silo);
        }

        // Those that lived on the silos that are gone have been noted; the others' time has not come.
        var listed = (await doors[0].ClientsAsync()).Where(c => c.Activity is not null).ToList();
        Assert.NotEmpty(listed);
        Assert.All(listed, c => Assert.Equal(("a", 1L, 0L), c.Activity!.Runs.Select(r => (r.Run, r.Assignments, r.Updates)).Single()));
        Assert.All(listed, c => Assert.True(c.Activity!.LastSeen > 1e9));
    }

    private static async Task<(Device Device, string Client)> EnrolAsync(ClusterIdentities door)
    {
        var (_, token) = await door.CreateEnrolmentTokenAsync("ward", null, reusable: false);
        var device = new Device();
        return (device, (await door.EnrolAsync(token, device.PublicKey, "ward")).Client!);
    }

    private async Task<ClusterIdentities[]> DoorsAsync(TestSilos cluster)
    {
        var doors = new ClusterIdentities[silos];
        for (var i = 0; i < silos; i++)
        {
            doors[i] = await cluster.IdentitiesAsync(i);
        }

        return doors;
    }
}

public sealed class TwoSiloIdentities() : ClusterIdentitiesTests(2);

public sealed class FourSiloIdentities() : ClusterIdentitiesTests(4);
