using System.Security.Cryptography;
using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Client.Transport;
using Federated.Privacy.Statements;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Fakes;

/// <summary>
/// A coordinator as docs/protocol.md describes one, in memory: it hands out assignments, keeps uploads, and counts what it accepted, by
/// assignment. Each request can be made to fail.
/// </summary>
internal sealed partial class FakeCoordinator(VirtualTime time) : ITransport
{
    public const int Dimension = 4;

    private static readonly JsonElement Plan = JsonDocument.Parse("""{"batchSize": 2, "compression": {"codec": {"kind": "top-k", "ratio": 0.5}, "feedback": {"kind": "ef14"}}}""").RootElement;

    private readonly Dictionary<string, (string Client, string Key)> enrolled = [];
    private readonly Dictionary<string, byte[]> keys = [];
    private readonly Dictionary<string, double> tokens = [];
    private readonly HashSet<string> assertions = [];
    private readonly Dictionary<string, byte[]> blobs = [];
    private readonly Dictionary<string, (BlobReference Blob, MemoryStream Bytes)> uploads = [];
    private readonly Dictionary<string, int> requests = [];
    private (long Id, double Deadline)? open;

    /// <summary>What is said of an assignment whose report a shuffler holds; null for what is so.</summary>
    public string? ShuffledState { get; set; }

    /// <summary>Envelopes that shufflers were sent.</summary>
    public List<(Uri Shuffler, string Proof, byte[] Envelope)> Reports { get; } = [];

    public static ParameterLayout Layout { get; } = ParameterLayout.Of(("fc.weight", [Dimension]));

    /// <summary>Decides what becomes of a request: its name, and how many of that name came before it.</summary>
    public Func<string, int, Fault> Faults { get; set; } = (_, _) => Fault.None;

    /// <summary>Called when the coordinator has handled a request, before its reply is on the way.</summary>
    public Action<string> Handled { get; set; } = _ => { };

    /// <summary>The run is over after so many accepted updates.</summary>
    public int Target { get; set; } = 3;

    public double LeaseSeconds { get; set; } = 10_000;

    public string Codec { get; set; } = "safetensors";

    public bool HasExtras { get; set; }

    public JsonElement? Privacy { get; set; }

    /// <summary>What it says of the run's privacy.</summary>
    public RunPrivacyMessage Told { get; set; } = new("run", 0, StatementMessage.Of(PrivacyStatement.None(StatementSetting.Served)));

    public int Version { get; set; } = 1;

    public (int Oldest, int Current) Speaks { get; set; } = (1, 1);

    /// <summary>Assignments are told as cancelled from this time on.</summary>
    public double CancelAt { get; set; } = double.PositiveInfinity;

    public double ClockOffset { get; set; }

    public List<CheckInReply> Script { get; } = [];

    /// <summary>How often each assignment's update was counted.</summary>
    public Dictionary<long, int> Accepted { get; } = [];

    public Dictionary<long, UpdateDeclaration> Declarations { get; } = [];

    public Dictionary<long, string> Failed { get; } = [];

    public List<EvaluationReport> Evaluations { get; } = [];

    public IReadOnlyDictionary<string, int> Requests => requests;

    public long NextAssignment { get; private set; }

    public int WrongOffsets { get; private set; }

    public List<double> ExamplesTold { get; } = [];

    public List<double> WaitsTold { get; } = [];

    public string? NameTold { get; private set; }

    public bool Authenticates => false;

    public string? AccessToken { get; set; }

    public TimeSpan ClockSkew { get; private set; }

    public byte[] Blob(BlobReference reference) => blobs[reference.Sha256];

    public float[] Vector(BlobReference reference)
    {
        var values = new float[Dimension];
        SafetensorsReader.Open(new MemoryStream(Blob(reference))).Read<float>(Layout, values);
        return values;
    }

    public ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation) => Handle("check-in", cancellation, true, () =>
    {
        ExamplesTold.Add(request.Examples);
        WaitsTold.Add(request.WaitSeconds);
        return Next();
    });

    public async ValueTask DownloadAsync(BlobReference blob, Stream destination, CancellationToken cancellation)
    {
        await Handle("download", cancellation, true, () =>
        {
            var bytes = blobs[blob.Sha256];
            destination.Write(bytes.AsSpan((int)destination.Position));
            return true;
        });
    }

    public async ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation)
    {
        var state = await Handle("state", cancellation, true, () => true);
        Assert.True(state);
        var until = Math.Min(time.Seconds + waitSeconds, Math.Max(time.Seconds, CancelAt));
        if (until > time.Seconds)
        {
            await Task.Delay(TimeSpan.FromSeconds(until - time.Seconds), time, cancellation);
        }

        return new AssignmentStateMessage(ShuffledState is { } told ? told : time.Seconds >= CancelAt ? "cancelled" : open?.Id == assignment ? "open" : "ended", null);
    }

    public ValueTask SendReportAsync(Uri shuffler, string proof, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
    {
        Reports.Add((shuffler, proof, envelope.ToArray()));
        return ValueTask.CompletedTask;
    }

    public ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation) => Handle("privacy", cancellation, true, () => Told);

    public async ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation) => await Handle("fail", cancellation, true, () =>
    {
        Failed[assignment] = request.Reason;
        open = open?.Id == assignment ? null : open;
        return true;
    });

    public async ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation) =>
        await Handle("evaluate", cancellation, true, () =>
        {
            Evaluations.Add(report);
            return true;
        });

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public BlobReference Store(byte[] bytes)
    {
        var reference = new BlobReference(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);
        blobs[reference.Sha256] = bytes;
        return reference;
    }

    public BlobReference StoreVector(params float[] values)
    {
        using var bytes = new MemoryStream();
        new SafetensorsWriter().Add<float>(Layout, values).WriteTo(bytes);
        return Store(bytes.ToArray());
    }

    public void RevokeClient() => keys.Clear();

    /// <summary>No token is good any more.</summary>
    public void ForgetTokens()
    {
        foreach (var token in tokens.Keys)
        {
            tokens[token] = double.NegativeInfinity;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeSeconds() + (long)ClockOffset;

    private CheckInReply Next()
    {
        if (Script.Count > 0)
        {
            var scripted = Script[0];
            Script.RemoveAt(0);
            return scripted;
        }

        if (Accepted.Count >= Target)
        {
            return new CheckInReply { Over = new OverMessage("done", Accepted.Count) };
        }

        open = open is { } held && held.Deadline > time.Seconds ? held : (NextAssignment++, time.Seconds + LeaseSeconds);
        return new CheckInReply { Assignment = Assignment(open.Value.Id) };
    }

    private AssignmentMessage Assignment(long id) => new(
        id, Accepted.Count, Steps: 0, Epochs: 1, StoreVector(Accepted.Count, 1, 2, 3),
        HasExtras ? new Dictionary<string, BlobReference> { ["control"] = StoreVector(5, 6, 7, Accepted.Count) } : [],
        Plan, Codec, (1000 + id).ToString(System.Globalization.CultureInfo.InvariantCulture), 1)
    {
        SecondsLeft = open!.Value.Deadline - time.Seconds,
        Privacy = Privacy,
    };

    private UpdateOutcomeMessage Settle(long assignment, UpdateDeclaration declaration)
    {
        if (Accepted.ContainsKey(assignment))
        {
            return Declarations[assignment].Delta == declaration.Delta
                ? new UpdateOutcomeMessage(true, "", "", null)
                : new UpdateOutcomeMessage(false, "duplicate", "another update of this assignment was taken", null);
        }

        if (open?.Id != assignment || open.Value.Deadline < time.Seconds)
        {
            return new UpdateOutcomeMessage(false, "too-late", "the lease was over", null);
        }

        open = null;
        Accepted[assignment] = Accepted.GetValueOrDefault(assignment) + 1;
        Declarations[assignment] = declaration;
        return new UpdateOutcomeMessage(true, "", "", declaration.Ready ? Next() : null);
    }

    private async ValueTask<TReply> Handle<TReply>(string request, CancellationToken cancellation, bool needsToken, Func<TReply> handle)
    {
        var count = requests[request] = requests.GetValueOrDefault(request) + 1;
        var fault = Faults(request, count - 1);
        await Task.Yield();
        cancellation.ThrowIfCancellationRequested();
        switch (fault)
        {
            case Fault.RequestLost:
                throw ClientException.Of(new Problem(0, "", "connection refused"));
            case Fault.TokenExpired when needsToken:
                throw Refuse(401, Problem.TokenExpired);
            case Fault.Busy:
                throw ClientException.Of(new Problem(503, "busy", "full") { RetryAfter = TimeSpan.FromSeconds(7) });
            case Fault.NotAnUpdate:
                throw Refuse(422, "not-an-update");
            case Fault.TooLarge:
                throw Refuse(413, "too-large");
            case Fault.Silence:
                await Task.Delay(TimeSpan.FromSeconds(120), time, cancellation); // A transfer that stands still is broken off by the transport.
                throw ClientException.Of(new Problem(0, "", "the transfer stood still"));
        }

        if (Version < Speaks.Oldest || Version > Speaks.Current)
        {
            throw ClientException.Of(new Problem(426, Problem.ProtocolVersion, $"versions {Speaks.Oldest} to {Speaks.Current} are spoken") { Speaks = Speaks });
        }

        if (needsToken && (AccessToken is not { } token || !tokens.TryGetValue(token, out var expires) || expires < time.Seconds))
        {
            throw Refuse(401, keys.Count == 0 ? Problem.ClientUnknown : Problem.TokenExpired);
        }

        var reply = handle();
        Handled(request);
        return fault == Fault.ReplyLost ? throw ClientException.Of(new Problem(0, "", "connection reset")) : reply;
    }

    private static ClientException Refuse(int status, string type) => ClientException.Of(new Problem(status, type, type));
}
