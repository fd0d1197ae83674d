using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>What every blob store promises.</summary>
public abstract class BlobStoreConformance
{
    /// <summary>SHA-256 of "abc" (FIPS 180-4, example B.1).</summary>
    private const string DigestOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    protected abstract ValueTask<IBlobStore> OpenAsync();

    [Fact]
    public async Task ABlobIsNamedByItsDigestAndReadBackWhole()
    {
        var store = await OpenAsync();
        await using var writer = await store.CreateAsync(default);
        await writer.WriteAsync("a"u8.ToArray(), default);
        await writer.WriteAsync("bc"u8.ToArray(), default);
        var blob = await writer.CommitAsync(null, default);
        Assert.Equal(new BlobReference(DigestOfAbc, 3), blob);
        Assert.Equal("abc"u8.ToArray(), await Read(store, blob));
    }

    [Fact]
    public async Task WhatIsNotCommittedDoesNotExist()
    {
        var store = await OpenAsync();
        await using (var writer = await store.CreateAsync(default))
        {
            await writer.WriteAsync("abc"u8.ToArray(), default);
        }

        Assert.False(await store.ContainsAsync(new BlobReference(DigestOfAbc, 3), default));
        await Assert.ThrowsAsync<StorageException>(async () => await store.OpenAsync(new BlobReference(DigestOfAbc, 3), default));
    }

    [Fact]
    public async Task BytesThatAreNotWhatWasDeclaredAreRefused()
    {
        var store = await OpenAsync();
        await using var writer = await store.CreateAsync(default);
        await writer.WriteAsync("abd"u8.ToArray(), default);
        var error = await Assert.ThrowsAsync<StorageException>(async () => await writer.CommitAsync(new BlobReference(DigestOfAbc, 3), default));
        Assert.Contains("are not what was declared", error.Message, StringComparison.Ordinal);
        Assert.False(await store.ContainsAsync(new BlobReference(DigestOfAbc, 3), default));
    }

    [Fact]
    public async Task TheSameBytesTwiceAreOneBlob()
    {
        var store = await OpenAsync();
        Assert.Equal(await Write(store, "same"), await Write(store, "same"));
    }

    [Fact]
    public async Task ASweepDeletesWhatNobodyRefersTo()
    {
        var store = await OpenAsync();
        var (kept, dropped) = (await Write(store, "kept"), await Write(store, "dropped"));
        var freed = await store.SweepAsync(new HashSet<string> { kept.Sha256 }, default);
        Assert.Equal(7, freed);
        Assert.True(await store.ContainsAsync(kept, default));
        Assert.False(await store.ContainsAsync(dropped, default));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("")]
    public async Task AReferenceThatIsNoDigestIsRefused(string sha256)
    {
        var store = await OpenAsync();
        await Assert.ThrowsAsync<StorageException>(async () => await store.ContainsAsync(new BlobReference(sha256, 3), default));
    }

    private static async Task<BlobReference> Write(IBlobStore store, string text)
    {
        await using var writer = await store.CreateAsync(default);
        await writer.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), default);
        return await writer.CommitAsync(null, default);
    }

    private static async Task<byte[]> Read(IBlobStore store, BlobReference blob)
    {
        await using var stream = await store.OpenAsync(blob, default);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }
}
