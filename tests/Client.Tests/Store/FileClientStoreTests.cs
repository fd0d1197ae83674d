using System.Security.Cryptography;
using Federated.Client.Store;
using Federated.Client.Tests.Fakes;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Store;

public static class FileClientStoreTests
{
    private static readonly byte[] Content = [1, 2, 3, 4, 5];

    private static FileClientStore Open(TemporaryFolder folder) => new(Path.Combine(folder.Path, "state"), 1000, new VirtualTime());

    private static PendingUpdate Update(IRunStore run, bool hasMemory) => new(
        7, 3, new UpdateDeclaration { Delta = run.WritePart(s => s.Write(Content)), Examples = 5, LocalSteps = 2 }, hasMemory);

    private static byte[] Read(Stream? stream)
    {
        using var opened = stream!;
        using var copy = new MemoryStream();
        opened.CopyTo(copy);
        return copy.ToArray();
    }

    public sealed class AState
    {
        [Fact]
        public void IsThereAfterARestart()
        {
            using var folder = new TemporaryFolder();
            var identity = ClientIdentity.Create() with { Client = "c-1", Coordinator = "k" };
            PendingUpdate update;
            using (var store = Open(folder))
            {
                store.SaveIdentity(identity);
                var run = store.OpenRun("heart");
                update = Update(run, hasMemory: true);
                run.Stage(update, s => s.WriteByte(9));
            }

            using var again = Open(folder);
            Assert.Equal((identity.Client, identity.Coordinator), (again.Identity!.Client, again.Identity.Coordinator));
            Assert.Equal(identity.PrivateKey, again.Identity.PrivateKey);
            var pending = again.OpenRun("heart").Pending!;
            Assert.Equal((update.Assignment, update.BaseVersion, update.HasMemory, update.Declaration.Delta), (pending.Assignment, pending.BaseVersion, pending.HasMemory, pending.Declaration.Delta));
            Assert.Equal(Content, Read(again.OpenRun("heart").OpenPart(pending.Declaration.Delta)));
        }

        [Fact]
        public void BelongsToOneSession()
        {
            using var folder = new TemporaryFolder();
            using var store = Open(folder);
            var e = Assert.Throws<ClientException>(() => Open(folder));
            Assert.Contains("in use by another client", e.Message, StringComparison.Ordinal);
        }

        [Fact]
        public void IsReadByItsOwnerAlone()
        {
            if (OperatingSystem.IsWindows())
            {
                return;
            }

            using var folder = new TemporaryFolder();
            using var store = Open(folder);
            store.SaveIdentity(ClientIdentity.Create());
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder.Path, "state", "identity.json")));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(folder.Path, "state")));
        }

        [Theory]
        [InlineData("../elsewhere")]
        [InlineData("a/b")]
        [InlineData("")]
        [InlineData("-rf")]
        [InlineData("Heart")]
        public void HasNoRunsByOtherNamesThanIds(string run)
        {
            using var folder = new TemporaryFolder();
            using var store = Open(folder);
            Assert.Throws<ClientException>(() => store.OpenRun(run));
        }

        [Fact]
        public void ThatIsDamagedSaysSo()
        {
            using var folder = new TemporaryFolder();
            Open(folder).Dispose();
            File.WriteAllText(Path.Combine(folder.Path, "state", "identity.json"), "{");
            Assert.Contains("is damaged", Assert.Throws<ClientException>(() => Open(folder)).Message, StringComparison.Ordinal);
        }
    }

    public sealed class AnUpdate
    {
        [Fact]
        public void ThatIsAcceptedLeavesItsMemory()
        {
            using var folder = new TemporaryFolder();
            using var store = Open(folder);
            var run = store.OpenRun("heart");
            Assert.Null(run.OpenMemory());
            run.Stage(Update(run, hasMemory: true), s => s.WriteByte(9));
            Assert.Null(run.OpenMemory());
            run.Accept();
            Assert.Equal([9], Read(run.OpenMemory()));
            Assert.Null(run.Pending);
        }

        [Fact]
        public void ThatIsRefusedLeavesNothing()
        {
            using var folder = new TemporaryFolder();
            using var store = Open(folder);
            var run = store.OpenRun("heart");
            run.Stage(Update(run, hasMemory: true), s => s.WriteByte(8));
            run.Accept();
            run.Stage(Update(run, hasMemory: true), s => s.WriteByte(9));
            run.Discard();
            Assert.Equal([8], Read(run.OpenMemory()));
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(folder.Path, "state", "runs", "heart", "pending")));
        }

        [Fact]
        public void WithoutMemoryLeavesTheOldOne()
        {
            using var folder = new TemporaryFolder();
            using var store = Open(folder);
            var run = store.OpenRun("heart");
            run.Stage(Update(run, hasMemory: true), s => s.WriteByte(8));
            run.Accept();
            run.Stage(Update(run, hasMemory: false), null);
            run.Accept();
            Assert.Equal([8], Read(run.OpenMemory()));
        }

        [Fact]
        public void WhoseAcceptanceACrashInterruptedIsAcceptedAgain()
        {
            using var folder = new TemporaryFolder();
            var path = Path.Combine(folder.Path, "state", "runs", "heart");
            using (var store = Open(folder))
            {
                var run = store.OpenRun("heart");
                run.Stage(Update(run, hasMemory: true), s => s.WriteByte(9));
                File.Move(Path.Combine(path, "pending", "memory"), Path.Combine(path, "memory")); // As far as Accept came.
            }

            using var again = Open(folder);
            var reopened = again.OpenRun("heart");
            Assert.NotNull(reopened.Pending);
            reopened.Accept();
            Assert.Equal([9], Read(reopened.OpenMemory()));
            Assert.Null(reopened.Pending);
        }

        [Fact]
        public void ThatWasNotStagedIsClearedAway()
        {
            using var folder = new TemporaryFolder();
            using (var store = Open(folder))
            {
                _ = Update(store.OpenRun("heart"), hasMemory: false);
            }

            using var again = Open(folder);
            Assert.Null(again.OpenRun("heart").Pending);
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(folder.Path, "state", "runs", "heart", "pending")));
        }
    }

    public abstract class ACache : IDisposable
    {
        private protected TemporaryFolder Folder { get; } = new();

        private protected VirtualTime Time { get; } = new();

        private protected abstract IModelCache Cache { get; }

        public virtual void Dispose()
        {
            Folder.Dispose();
            GC.SuppressFinalize(this);
        }

        [Fact]
        public void GivesBackWhatItTookIn()
        {
            var blob = Take(Content);
            Assert.Equal(Content, Read(Cache.Open(blob)));
        }

        [Fact]
        public void GoesOnWithWhatWasInterrupted()
        {
            var blob = Reference(Content);
            using (var first = Cache.OpenPartial(blob))
            {
                first.Write(Content.AsSpan(0, 2));
            }

            Assert.Null(Cache.Open(blob));
            using (var second = Cache.OpenPartial(blob))
            {
                Assert.Equal(2, second.Position);
                second.Write(Content.AsSpan(2));
            }

            Assert.True(Cache.Complete(blob));
            Assert.Equal(Content, Read(Cache.Open(blob)));
        }

        [Fact]
        public void DropsWhatIsNotWhatItShouldBe()
        {
            var blob = Reference(Content);
            using (var stream = Cache.OpenPartial(blob))
            {
                stream.Write([1, 2, 3, 4, 6]);
            }

            Assert.False(Cache.Complete(blob));
            Assert.Null(Cache.Open(blob));
            using var again = Cache.OpenPartial(blob);
            Assert.Equal(0, again.Length);
        }

        [Fact]
        public void KeepsWhatWasUsedLastWithinItsBound()
        {
            var blobs = Enumerable.Range(0, 3).Select(i =>
            {
                Time.Advance(TimeSpan.FromSeconds(10));
                return Take(Enumerable.Repeat((byte)i, 400).ToArray());
            }).ToList();
            Time.Advance(TimeSpan.FromSeconds(10));
            Assert.Null(Cache.Open(blobs[0]));
            _ = Read(Cache.Open(blobs[1]));
            Time.Advance(TimeSpan.FromSeconds(10));
            var fourth = Take(Enumerable.Repeat((byte)9, 400).ToArray());
            Assert.Null(Cache.Open(blobs[2]));
            Assert.Equal(400, Read(Cache.Open(blobs[1])).Length);
            Assert.Equal(400, Read(Cache.Open(fourth)).Length);
        }

        private static BlobReference Reference(byte[] bytes) => new(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);

        private protected BlobReference Take(byte[] bytes)
        {
            var blob = Reference(bytes);
            using (var stream = Cache.OpenPartial(blob))
            {
                stream.Write(bytes);
            }

            Assert.True(Cache.Complete(blob));
            return blob;
        }
    }

    public sealed class ACacheInMemory : ACache
    {
        private readonly MemoryModelCache cache = new(1000);

        private protected override IModelCache Cache => cache;
    }

    public sealed class ACacheOnDisk : ACache
    {
        private readonly FileModelCache cache;

        public ACacheOnDisk() => cache = new FileModelCache(Path.Combine(Folder.Path, "models"), 1000, Time);

        private protected override IModelCache Cache => cache;

        [Fact]
        public void SeesThatAFileWasDamaged()
        {
            var blob = Take(Content);
            File.WriteAllBytes(Path.Combine(Folder.Path, "models", blob.Sha256), [1, 2, 3, 4, 9]);
            Assert.Null(Cache.Open(blob));
        }

        [Fact]
        public void TakesNoDigestForAPath() => Assert.Throws<ClientException>(() => Cache.OpenPartial(new BlobReference("../../etc/passwd", 5)));
    }
}
