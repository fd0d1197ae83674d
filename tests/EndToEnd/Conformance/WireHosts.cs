using System.Globalization;
using Federated.Client.Transport;
using Federated.Coordinator;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Tests.Hosting.Conformance;
using Federated.EndToEnd.Cluster;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.EndToEnd.Conformance;

/// <summary>The host suite's hosts as processes that are spoken to over HTTP alone: operators and clients ask another one each time.</summary>
/// <param name="processes">They outlive this; each test has runs of its own on them.</param>
/// <param name="versions">Versions after which runs are over.</param>
internal sealed class WireHosts(IReadOnlyList<SiloProcess> processes, int versions) : ITestHosts, IBlobStore
{
    private static int hosts;

    private readonly string suffix = string.Create(CultureInfo.InvariantCulture, $"-{Interlocked.Increment(ref hosts)}");
    private readonly SocketsHttpHandler connections = HttpTransport.CreateHandler(new HttpTransportOptions { Endpoints = Endpoints.Of(processes[0].Url), ConnectTimeout = TimeSpan.FromSeconds(5) });
    private readonly Dictionary<string, WireMember> members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WireRun> runs = new(StringComparer.Ordinal);
    private readonly Lock sync = new();
    private int victim;

    public WireOperator Operator { get; } = new(processes);

    public WireModel Model { get; } = new();

    public IBlobStore Blobs => this;

    /// <summary>Processes that were killed.</summary>
    public int Killed => victim;

    public async Task<ITestRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration)
    {
        var experiment = WireModel.Experiment(System.Text.Encoding.UTF8.GetString(configuration.Span), versions);
        var made = (await Operator.AskAsync(
            HttpMethod.Post, "/v1/runs", WireOperator.Json(new CreateRunRequest(experiment) { Run = id + suffix }, WireJson.Default.CreateRunRequest), WireJson.Default.RunDetailMessage))!;
        await using (var model = await DownloadAsync(made.Versions.Single().Model))
        {
            Model.Begins(model);
        }

        return NewRun(id);
    }

    public async Task<ITestRun> BranchAsync(string id, string from, int version)
    {
        var request = new BranchRunRequest(version.ToString(CultureInfo.InvariantCulture)) { Run = id + suffix };
        using var answer = await Operator.SendAsync(HttpMethod.Post, $"/v1/runs/{from + suffix}:branch", WireOperator.Json(request, WireJson.Default.BranchRunRequest));
        return answer is null ? throw new CoordinatorException("The coordinator knows no run of that name.") : NewRun(id);
    }

    public async Task<bool> DeleteAsync(string id)
    {
        using var answer = await Operator.SendAsync(HttpMethod.Delete, $"/v1/runs/{id + suffix}", null);
        return answer is not null;
    }

    public async Task<ITestRun?> FindAsync(string id)
    {
        using var answer = await Operator.SendAsync(HttpMethod.Get, $"/v1/runs/{id + suffix}/configuration", null);
        lock (sync)
        {
            return answer is null ? null : runs[id];
        }
    }

    /// <summary>SIGKILL, and a new process in its place; it is not waited for, unless it is the only one.</summary>
    public async Task KillOneAsync()
    {
        var process = processes[victim++ % processes.Count];
        await process.KillAsync();
        process.Start();
        if (processes.Count == 1)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            await process.ReadyAsync(limit.Token);
        }
    }

    /// <summary>A member of the suite as an enrolled client, the same in every run.</summary>
    public WireMember MemberOf(string name)
    {
        lock (sync)
        {
            if (!members.TryGetValue(name, out var member))
            {
                members.Add(name, member = new WireMember(name, new ClientId(members.Count), processes, connections));
            }

            return member;
        }
    }

    public WireMember MemberOf(ClientId client)
    {
        lock (sync)
        {
            return members.Values.Single(m => m.Number == client);
        }
    }

    public async ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation)
    {
        await using var model = await DownloadAsync(blob);
        return Model.Sums(model);
    }

    public ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation) => throw new NotSupportedException("Over the wire blobs are only read.");

    public ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation) => throw new NotSupportedException("Over the wire blobs are only read.");

    public ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation) => throw new NotSupportedException("Over the wire blobs are only read.");

    public ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation) => throw new NotSupportedException("Over the wire blobs are only read.");

    public ValueTask DisposeAsync()
    {
        Operator.Dispose();
        connections.Dispose();
        return ValueTask.CompletedTask;
    }

    private WireRun NewRun(string id)
    {
        lock (sync)
        {
            return runs[id] = new WireRun(this, id + suffix);
        }
    }

    private async Task<Stream> DownloadAsync(BlobReference blob)
    {
        using var answer = await Operator.SendAsync(HttpMethod.Get, $"/v1/blobs/{blob.Sha256}", null);
        return new MemoryStream(await answer!.Content.ReadAsByteArrayAsync());
    }
}
