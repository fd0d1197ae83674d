using System.Text;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>What every document store promises.</summary>
public abstract class DocumentStoreConformance
{
    protected abstract ValueTask<IDocumentStore> OpenAsync();

    [ConformanceFact]
    public async Task ADocumentIsReadBackAndReplacedWhole()
    {
        var store = await OpenAsync();
        Assert.Null(await store.ReadAsync("runs/a", default));
        await store.WriteAsync("runs/a", Encoding.UTF8.GetBytes("a longer text"), default);
        await store.WriteAsync("runs/a", Encoding.UTF8.GetBytes("short"), default);
        Assert.Equal("short", Encoding.UTF8.GetString((await store.ReadAsync("runs/a", default))!));
    }

    [ConformanceFact]
    public async Task OfThoseWhoCreateADocumentAtOnceOneDoes()
    {
        var store = await OpenAsync();
        var created = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
            await store.CreateAsync("runs/a", Encoding.UTF8.GetBytes($"by {i}"), default) ? $"by {i}" : "")));
        Assert.Equal(Assert.Single(created, c => c.Length > 0), Encoding.UTF8.GetString((await store.ReadAsync("runs/a", default))!));
        await store.DeleteAsync("runs/a", default);
        Assert.True(await store.CreateAsync("runs/a", new byte[1], default));
    }

    [ConformanceFact]
    public async Task AFolderListsItsOwnDocumentsInOrder()
    {
        var store = await OpenAsync();
        foreach (var name in (string[])["runs/b", "runs/a-1", "runs/a", "runs/deep/c", "other/d"])
        {
            await store.WriteAsync(name, new byte[1], default);
        }

        Assert.Equal(["a", "a-1", "b"], await store.ListAsync("runs", default));
        Assert.Empty(await store.ListAsync("empty", default));
    }

    [ConformanceFact]
    public async Task ADeletedDocumentIsGone()
    {
        var store = await OpenAsync();
        await store.WriteAsync("runs/a", new byte[1], default);
        await store.DeleteAsync("runs/a", default);
        await store.DeleteAsync("runs/a", default);
        Assert.Null(await store.ReadAsync("runs/a", default));
        Assert.Empty(await store.ListAsync("runs", default));
    }

    [ConformanceFact]
    public async Task ANameThatIsMoreThanANameIsRefused()
    {
        var store = await OpenAsync();
        foreach (var name in (string[])["../escape", "runs/../../escape", "/etc/passwd", "runs//a", "Runs/A", "runs/.new-a", "runs/%", ""])
        {
            await Assert.ThrowsAsync<StorageException>(async () => await store.WriteAsync(name, new byte[1], default));
            await Assert.ThrowsAsync<StorageException>(async () => await store.ReadAsync(name, default));
        }
    }
}
