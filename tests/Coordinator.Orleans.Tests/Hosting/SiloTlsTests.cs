using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Hosting;

namespace Federated.Coordinator.Orleans.Tests.Hosting;

/// <summary>When silos speak by TLS, and when one does not start.</summary>
public sealed class SiloTlsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("federated-silo-tls-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("fd00::1")]
    public void A_silo_that_others_could_reach_does_not_start_without_a_certificate(string address) =>
        Assert.Contains("fed pki silo", Refusal(Silo(address)), StringComparison.Ordinal);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void On_loopback_it_may(string address) => Assert.Null(SiloTls.Choose(Silo(address), folder, TimeProvider.System));

    [Fact]
    public void It_may_where_its_operator_says_that_nobody_else_is_there() =>
        Assert.Null(SiloTls.Choose(Silo("10.0.0.1") with { IsPlain = true }, folder, TimeProvider.System));

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("127.0.0.1")]
    public void The_data_directorys_certificate_is_used_unasked(string address)
    {
        Make();
        Assert.NotNull(SiloTls.Choose(Silo(address), folder, TimeProvider.System));
    }

    [Fact]
    public void One_that_is_named_is_used_or_the_silo_does_not_start()
    {
        var (certificate, key) = Make();
        var silo = Silo("10.0.0.1") with { Certificate = certificate, CertificateKey = key };
        Assert.NotNull(SiloTls.Choose(silo, Path.Combine(folder, "elsewhere"), TimeProvider.System));
        Assert.Contains("cannot be used", Refusal(silo with { CertificateKey = key + ".none" }), StringComparison.Ordinal);
        Assert.Contains("go together", Refusal(silo with { CertificateKey = "" }), StringComparison.Ordinal);
        Assert.Contains("Leave one out", Refusal(silo with { IsPlain = true }), StringComparison.Ordinal);
    }

    private static SiloOptions Silo(string address) => new() { Name = "one", Address = address, Connection = "Host=db" };

    private string Refusal(SiloOptions silo) => Assert.Throws<CoordinatorException>(() => SiloTls.Choose(silo, folder, TimeProvider.System)).Message;

    private (string Certificate, string Key) Make()
    {
        var files = ClusterCertificate.FilesIn(folder);
        ClusterCertificate.Create(files.Certificate, files.Key, TimeSpan.FromDays(1), TimeProvider.System);
        return files;
    }
}
