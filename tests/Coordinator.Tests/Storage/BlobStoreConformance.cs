using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>What every blob store promises.</summary>
public abstract class BlobStoreConformance
{
    /// <summary>SHA-256 of "abc" (FIPS 180-4, example B.1).</summary>
    private const string DigestOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    protected abstract ValueTask<IBlobStore> OpenAsync();

    [ConformanceFact]
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

    [ConformanceFact]
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

    [ConformanceFact]
    public async Task BytesThatAreNotWhatWasDeclaredAreRefused()
    {
        var store = await OpenAsync();
        await using var writer = await store.CreateAsync(default);
        await writer.WriteAsync("abd"u8.ToArray(), default);
        var error = await Assert.ThrowsAsync<BlobMismatchException>(async () => await writer.CommitAsync(new BlobReference(DigestOfAbc, 3), default));
        Assert.Contains("are not what was declared", error.Message, StringComparison.Ordinal);
        Assert.False(await store.ContainsAsync(new BlobReference(DigestOfAbc, 3), default));
    }

    [ConformanceFact]
    public async Task TheSameBytesTwiceAreOneBlob()
    {
        var store = await OpenAsync();
        Assert.Equal(await Write(store, "same"), await Write(store, "same"));
    }

    [ConformanceFact]
    public async Task TheSecondSweepDeletesWhatNobodyRefersTo()
    {
        var store = await OpenAsync();
        var (kept, dropped) = (await Write(store, "kept"), await Write(store, "dropped"));
        Assert.Equal(0, await Sweep(store, kept));
        Assert.Equal(7, await Sweep(store, kept));
        Assert.True(await store.ContainsAsync(kept, default));
        Assert.False(await store.ContainsAsync(dropped, default));
    }

    [ConformanceFact]
    public async Task WhatIsAskedForBetweenTwoSweepsStays()
    {
        var store = await OpenAsync();
        var blob = await Write(store, "asked for");
        await Sweep(store);
        Assert.True(await store.ContainsAsync(blob, default));
        Assert.Equal(0, await Sweep(store));
        Assert.Equal("asked for"u8.ToArray(), await Read(store, blob));
    }

    [ConformanceFact]
    public async Task WhatIsHeldStaysUntilItIsLetGo()
    {
        var store = await OpenAsync();
        var blob = await Write(store, "held");
        var hold = await store.HoldAsync(blob, default);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(0, await Sweep(store));
        }

        await hold!.DisposeAsync();
        Assert.Equal(0, await Sweep(store));
        Assert.Equal(4, await Sweep(store));
        Assert.Null(await store.HoldAsync(blob, default));
    }

    [ConformanceFact]
    public async Task AWriterHoldsWhatItCommittedUntilItIsDisposed()
    {
        var store = await OpenAsync();
        await using var writer = await store.CreateAsync(default);
        await writer.WriteAsync("abc"u8.ToArray(), default);
        var blob = await writer.CommitAsync(null, default);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(0, await Sweep(store));
        }

        Assert.True(await store.ContainsAsync(blob, default));
    }

    [ConformanceFact]
    public async Task WhatIsCommittedWhileTheSweepAsksIsKept()
    {
        var store = await OpenAsync();
        var blob = await Write(store, "again");
        await Sweep(store);
        var freed = await store.SweepAsync(async () =>
        {
            await Write(store, "again"); // A client sends the same bytes, and an event names them, after the references were read.
            return new HashSet<string>();
        }, default);
        Assert.Equal(0, freed);
        Assert.Equal("again"u8.ToArray(), await Read(store, blob));
    }

    [ConformanceFact]
    public async Task ABlobCanBeReadFromItsMiddle()
    {
        var store = await OpenAsync();
        var text = string.Concat(Enumerable.Range(0, 100_000).Select(i => (char)('a' + (i % 26))));
        var blob = await Write(store, text);
        await using var stream = await store.OpenAsync(blob, default);
        Assert.Equal(100_000, stream.Length);
        stream.Position = 70_000;
        var bytes = new byte[1000];
        await stream.ReadExactlyAsync(bytes);
        Assert.Equal(text.Substring(70_000, 1000), System.Text.Encoding.UTF8.GetString(bytes));
    }

    [ConformanceFact]
    public async Task AReferenceThatIsNoDigestIsRefused()
    {
        var store = await OpenAsync();
        foreach (var sha256 in (string[])["../../etc/passwd", DigestOfAbc.ToUpperInvariant(), ""])
        {
            await Assert.ThrowsAsync<StorageException>(async () => await store.ContainsAsync(new BlobReference(sha256, 3), default));
        }
    }

    [ConformanceFact]
    public async Task ManyWritersOfTheSameBytesAtOnceMakeOneBlob()
    {
        var store = await OpenAsync();
        var text = new string('x', 600_000);
        var blobs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Write(store, text))));
        Assert.Single(blobs.Distinct());
        Assert.Equal(text, System.Text.Encoding.UTF8.GetString(await Read(store, blobs[0])));
        await Sweep(store);
        Assert.Equal(600_000, await Sweep(store));
    }

    private static ValueTask<long> Sweep(IBlobStore store, params BlobReference[] referenced) => store.SweepAsync(
        () => ValueTask.FromResult<IReadOnlySet<string>>(referenced.Select(b => b.Sha256).ToHashSet()), default);

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
