using System.Security.Authentication;
using Federated.Client.Transport;

namespace Federated.Client.Tests.Transport;

public sealed class ConnectionFailuresTests
{
    private static readonly Uri Secure = new("https://fl.example.org:8443");

    [Theory]
    [InlineData("The remote certificate is invalid because of errors in the certificate chain: PartialChain", "--ca")]
    [InlineData("The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch", "another name")]
    [InlineData("Cannot determine the frame size or a corrupted frame was received.", "write http://")]
    public void WhatIsWrongWithTlsIsToldWithWhatToChange(string found, string advice)
    {
        var failure = new HttpRequestException(
            HttpRequestError.SecureConnectionError, "The SSL connection could not be established, see inner exception.", new AuthenticationException(found));

        var told = ConnectionFailures.Describe(Secure, failure);

        Assert.Contains(advice, told, StringComparison.Ordinal);
        Assert.Contains(found, told, StringComparison.Ordinal);
        Assert.DoesNotContain("see inner exception", told, StringComparison.Ordinal);
        Assert.True(ConnectionFailures.IsLasting(Secure, failure));
    }

    [Fact]
    public void APlainRequestToATlsPortIsToldSo()
    {
        var plain = new Uri("http://fl.example.org:8443");
        Assert.Contains("write https://", ConnectionFailures.Describe(plain, new HttpRequestException(HttpRequestError.ResponseEnded, "ended")), StringComparison.Ordinal);
    }

    [Fact]
    public void ACoordinatorThatIsAwayMayCome()
    {
        var failure = new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused (fl.example.org:8443)", new IOException("Connection refused"));
        Assert.False(ConnectionFailures.IsLasting(Secure, failure));
        Assert.Equal($"{Secure} does not answer: Connection refused", ConnectionFailures.Describe(Secure, failure));
    }
}
