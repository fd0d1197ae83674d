using Federated.Client;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.EndToEnd.Cluster;
using Federated.Protocol;
using Federated.Protocol.Local;

namespace Federated.EndToEnd.Conformance;

/// <summary>A client of the suite: one key, enrolled once, and a connection to each front door, which it takes in turn.</summary>
/// <param name="number">What the suite calls it by.</param>
internal sealed class WireMember(string name, ClientId number, IReadOnlyList<SiloProcess> processes, HttpMessageHandler connections)
{
    private readonly MemoryClientStore store = new(new MemoryModelCache(1 << 20));
    private readonly SemaphoreSlim oneEnrolment = new(1);
    private readonly HttpTransport[] doors =
        [.. processes.Select(p => new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(p.Url) }, TimeProvider.System, connections, ownsHandler: false))];

    private readonly Dictionary<HttpTransport, Authenticator> tokens = [];
    private int turn = number.Value;

    public ClientId Number => number;

    /// <summary>Asks the next front door, with a token.</summary>
    /// <exception cref="ClientException">It did not answer, or refused.</exception>
    public async Task<T> AskAsync<T>(Func<HttpTransport, Task<T>> ask)
    {
        var door = doors[(int)((uint)Interlocked.Increment(ref turn) % doors.Length)];
        var authenticator = await EnrolledAsync(door);
        try
        {
            return await ask(door);
        }
        catch (ClientException e) when (e.Problem?.Status == 401)
        {
            authenticator.Forget();
            throw;
        }
    }

    private async Task<Authenticator> EnrolledAsync(HttpTransport door)
    {
        await oneEnrolment.WaitAsync();
        try
        {
            if (!tokens.TryGetValue(door, out var authenticator))
            {
                var enrolment = processes.Select(p => LocalCoordinator.Find(p.Url)).First(local => local is not null)!.EnrolmentToken;
                tokens.Add(door, authenticator = new Authenticator(door, store, enrolment, name, TimeProvider.System));
            }

            await authenticator.EnrolAsync(default);
            await authenticator.EnsureTokenAsync(default);
            return authenticator;
        }
        finally
        {
            oneEnrolment.Release();
        }
    }
}
