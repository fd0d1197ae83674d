namespace Federated.Client.Tests.Fakes;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("federated-client-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
