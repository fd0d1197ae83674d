using System.Buffers.Text;
using System.Security.Cryptography;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Privacy.Hpke;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Tests.Shuffling;

/// <summary>Keys and shufflers of a coordinator that is alone, and of several that share a store.</summary>
public sealed class ShufflingBookTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("fed-shuffling-").FullName;
    private readonly ManualTime time = new();
    private readonly IDocumentStore documents;

    public ShufflingBookTests() => documents = new FileDocumentStore(new PhysicalFileSystem(folder), "documents");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Of_silos_that_start_at_once_all_have_the_same_keys()
    {
        var books = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => OpenAsync().AsTask())));
        Assert.Single(books.Select(book => (book.AnalyzerKey, book.TicketsKey)).Distinct());
        var shuffler = Shuffler("s1");
        Assert.Null(await books[0].AddAsync(shuffler, default));
        var (here, there) = (await books[0].FindAsync("s1", default), await books[1].FindAsync("s1", default));
        Assert.Equal((shuffler, shuffler), (here!.Message, there!.Message));
    }

    [Fact]
    public async Task What_one_silo_registers_the_others_find_at_once_and_what_it_changes_or_removes_after_a_lease()
    {
        var (one, other) = (await OpenAsync(), await OpenAsync());
        Assert.Null(await other.FindAsync("s1", default));
        var (first, second) = (Shuffler("s1"), Shuffler("s1"));
        await one.AddAsync(first, default);
        Assert.Equal(first, (await other.FindAsync("s1", default))!.Message);
        await one.AddAsync(second, default);
        Assert.Equal((second, first), ((await one.FindAsync("s1", default))!.Message, (await other.FindAsync("s1", default))!.Message));
        time.Advance(5);
        Assert.Equal(second, (await other.FindAsync("s1", default))!.Message);
        Assert.Equal([second], await other.ListAsync(default));
        Assert.True(await one.RemoveAsync("s1", default));
        Assert.False(await one.RemoveAsync("s1", default));
        Assert.NotNull(await other.FindAsync("s1", default));
        time.Advance(5);
        Assert.Null(await other.FindAsync("s1", default));
        Assert.Empty(await other.ListAsync(default));
    }

    [Fact]
    public async Task Alone_it_is_a_file_that_a_later_start_reads()
    {
        var path = Path.Combine(folder, "shuffling.json");
        var book = ShufflingBook.Open(path, time);
        var shuffler = Shuffler("s1");
        Assert.Null(await book.AddAsync(shuffler, default));
        Assert.Null(await book.AddAsync(Shuffler("s2"), default));
        Assert.True(await book.RemoveAsync("s2", default));
        var again = ShufflingBook.Open(path, time);
        Assert.Equal((book.AnalyzerKey, book.TicketsKey), (again.AnalyzerKey, again.TicketsKey));
        Assert.Equal([shuffler], await again.ListAsync(default));
        Assert.Null(await again.FindAsync("s2", default));
    }

    [Theory]
    [InlineData("S1", "https://s1.example", "", "lower-case")]
    [InlineData("../s1", "https://s1.example", "", "lower-case")]
    [InlineData("s1", "http://s1.example", "", "https")]
    [InlineData("s1", "https://s1.example", "AAAA", "keys")]
    public async Task What_is_no_shuffler_is_refused_with_the_reason(string name, string url, string sealing, string reason)
    {
        var book = await OpenAsync();
        var shuffler = Shuffler("s1") with { Name = name, Url = url };
        var refusal = await book.AddAsync(sealing.Length > 0 ? shuffler with { SealingKey = sealing } : shuffler, default);
        Assert.Contains(reason, refusal, StringComparison.Ordinal);
        Assert.Null(await book.FindAsync(name, default));
        Assert.False(await book.RemoveAsync(name, default));
    }

    private ValueTask<ShufflingBook> OpenAsync() => ShufflingBook.OpenAsync(documents, TimeSpan.FromSeconds(5), time, default);

    private static ShufflerMessage Shuffler(string name)
    {
        using var sealing = HpkePrivateKey.Generate();
        using var signing = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new ShufflerMessage(name, $"https://{name}.example", Base64Url.EncodeToString(sealing.Point), Base64Url.EncodeToString(signing.ExportSubjectPublicKeyInfo()));
    }
}
