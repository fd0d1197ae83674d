using Federated.Coordinator.Identity;
using Federated.Coordinator.Tests.Http;

namespace Federated.Coordinator.Tests.Identity;

/// <summary>Which certificates silos take each other's for, and what is made of files that do not fit.</summary>
public sealed class ClusterCertificateTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("federated-cluster-certificate-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Those_who_have_the_clusters_key_know_each_other()
    {
        var files = Make("one");
        var (here, there) = (Open(files), Open(files));
        Assert.True(here.IsSilo(there.Own));
        Assert.True(here.Own.HasPrivateKey);
    }

    [Fact]
    public void Nobody_else_is_known_whoever_vouches_for_them()
    {
        var (mine, other) = (Open(Make("one")), Open(Make("two")));
        Assert.False(mine.IsSilo(other.Own));
        Assert.False(other.IsSilo(mine.Own));
    }

    [Fact]
    public void While_a_certificate_is_replaced_both_are_known_and_the_key_says_which_is_shown()
    {
        var (old, next) = (Make("old"), Make("next"));
        var both = Path.Combine(folder, "both.crt");
        File.WriteAllText(both, File.ReadAllText(next.Certificate) + "\n" + File.ReadAllText(old.Certificate));
        var (with, ahead) = (Open((both, old.Key)), Open((both, next.Key)));
        Assert.Equal(Open(old).Own.RawData, with.Own.RawData);
        Assert.Equal(Open(next).Own.RawData, ahead.Own.RawData);
        Assert.True(with.IsSilo(ahead.Own) && ahead.IsSilo(with.Own));
        Assert.True(Open(old).IsSilo(with.Own)); // One that has not been told yet still knows the old one,
        Assert.False(Open(old).IsSilo(ahead.Own)); // and not the new.
    }

    [Fact]
    public void A_certificate_whose_time_is_over_is_neither_shown_nor_taken()
    {
        var files = Make("one", TimeSpan.FromDays(10));
        var clock = new AheadTime();
        var silo = ClusterCertificate.Open(files.Certificate, files.Key, clock);
        Assert.True(silo.IsSilo(silo.Own));
        clock.Ahead = TimeSpan.FromDays(11);
        Assert.False(silo.IsSilo(silo.Own));
        Assert.Contains("fed pki silo", Assert.Throws<IdentityException>(() => ClusterCertificate.Open(files.Certificate, files.Key, clock)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_do_not_fit_are_refused_with_a_sentence()
    {
        var (one, two) = (Make("one"), Make("two"));
        Assert.Contains("belongs to the key", Assert.Throws<IdentityException>(() => Open((one.Certificate, two.Key))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be used", Assert.Throws<IdentityException>(() => Open((one.Certificate, Path.Combine(folder, "none.key")))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be used", Assert.Throws<IdentityException>(() => Open((one.Key, one.Certificate))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void None_is_written_over_and_the_key_is_its_owners_alone()
    {
        var files = Make("one");
        var before = File.ReadAllText(files.Key);
        Assert.Contains("is there already", Assert.Throws<IdentityException>(() => Make("one")).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(files.Key));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(files.Key));
        }
    }

    private static ClusterCertificate Open((string Certificate, string Key) files) => ClusterCertificate.Open(files.Certificate, files.Key, TimeProvider.System);

    private (string Certificate, string Key) Make(string name, TimeSpan? life = null)
    {
        var files = ClusterCertificate.FilesIn(Path.Combine(folder, name));
        ClusterCertificate.Create(files.Certificate, files.Key, life ?? TimeSpan.FromDays(100), TimeProvider.System);
        return files;
    }
}
