using System.Text.Json.Serialization;

namespace Federated.Protocol.Wire;

/// <summary>Body of <c>POST /v1/runs</c>.</summary>
/// <param name="Configuration">The experiment, YAML: what <c>fed run</c> takes.</param>
public sealed record CreateRunRequest(string Configuration)
{
    /// <summary>The run's id; null to make one of the experiment's name.</summary>
    public string? Run { get; init; }

    /// <summary>Overrides, <c>key.key=value</c>.</summary>
    public IReadOnlyList<string> Set { get; init => field = Whole.Of(value); } = [];
}

/// <summary>Body of <c>POST /v1/runs/{run}:branch</c>.</summary>
/// <param name="Version"><c>latest</c>, <c>best</c> or a number.</param>
public sealed record BranchRunRequest(string Version)
{
    /// <summary>The new run's id; null to make one.</summary>
    public string? Run { get; init; }

    /// <summary>Changes to the configuration, <c>key.key=value</c>.</summary>
    public IReadOnlyList<string> Set { get; init => field = Whole.Of(value); } = [];
}

/// <summary>Body of <c>POST /v1/runs/{run}:pause</c>, <c>:resume</c> and <c>:stop</c>.</summary>
/// <param name="Reason">Why, for people.</param>
public sealed record CommandRequest(string Reason);

/// <summary>A run in a list.</summary>
/// <param name="State"><c>created</c>, <c>running</c>, <c>paused</c>, <c>finished</c>; <c>opening</c> or <c>failed</c> when its host cannot be asked.</param>
/// <param name="CreatedAt">ISO 8601, UTC.</param>
public sealed record RunSummaryMessage(string Run, string Name, string State, int Version, string CreatedAt)
{
    /// <summary>Why it ended, or what is wrong with it; empty for neither.</summary>
    public string Detail { get; init => field = value ?? ""; } = "";

    public string Strategy { get; init => field = value ?? ""; } = "";

    /// <summary>Clients that have joined.</summary>
    public int Clients { get; init; }

    /// <summary>Clients that have joined or wait in the lobby, and how many a run that counts them waits for; 0 when it does not.</summary>
    public int LobbyClients { get; init; }

    public int ExpectedClients { get; init; }

    /// <summary>Clients that wait for work now.</summary>
    public int WaitingClients { get; init; }

    public int InFlight { get; init; }

    public long Dispatched { get; init; }

    public long Accepted { get; init; }

    public long Rejected { get; init; }

    public long Lost { get; init; }

    /// <summary>Of the last evaluation; null before any.</summary>
    public double? Accuracy { get; init; }

    public double? Loss { get; init; }

    public double? BestAccuracy { get; init; }

    public int? BestVersion { get; init; }

    /// <summary>Seconds on the run's clock.</summary>
    public double Seconds { get; init; }

    /// <summary>ε that the run had cost the client that it cost most when the newest version was published, with what a branch inherited; absent without a policy, or before.</summary>
    public double? Epsilon { get; init; }

    /// <summary>δ of <see cref="Epsilon"/>.</summary>
    public double? Delta { get; init; }
}

/// <summary>Reply to <c>GET /v1/runs</c>.</summary>
public sealed record RunList(IReadOnlyList<RunSummaryMessage> Runs);

/// <summary>A run in full.</summary>
public sealed record RunDetailMessage(RunSummaryMessage Summary)
{
    /// <summary>The versions that can be downloaded, oldest first.</summary>
    public IReadOnlyList<VersionMessage> Versions { get; init => field = value ?? []; } = [];

    public IReadOnlyList<EvaluationPoint> Evaluations { get; init => field = value ?? []; } = [];

    /// <summary>Of the last version that clients evaluated on their own data; null for none.</summary>
    public ClientScoresMessage? ClientScores { get; init; }

    public IReadOnlyList<RunClientMessage> Clients { get; init => field = value ?? []; } = [];

    /// <summary>What a run that asks a question has found; null for one that trains, or that has no version yet.</summary>
    public AnalysisMessage? Analysis { get; init; }

    /// <summary>The run and version that it was branched from; null for neither.</summary>
    public string? BranchedFrom { get; init; }

    /// <summary>What the run guarantees about privacy, and what not.</summary>
    public string Privacy { get; init => field = value ?? ""; } = "";
}

/// <summary>The estimates of an analysis at its last version.</summary>
/// <param name="Kind"><c>mean</c>, <c>histogram</c>, <c>quantiles</c> or <c>heavyHitters</c>.</param>
/// <param name="Question">What was asked.</param>
/// <param name="Reports">Reports that the estimates rest on.</param>
/// <param name="Malformed">Reports that no honest client sends; left out.</param>
/// <param name="Confidence">Of each interval on its own.</param>
public sealed record AnalysisMessage(string Kind, string Question, long Reports, long Malformed, double Confidence)
{
    public IReadOnlyList<EstimateMessage> Estimates { get; init => field = value ?? []; } = [];

    /// <summary>What has to be known to read them, or why there are none.</summary>
    public IReadOnlyList<string> Notes { get; init => field = value ?? []; } = [];
}

/// <param name="Value">Without bias: a share may be below 0.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
public sealed record EstimateMessage(string Name, double Value, double Low, double High);

/// <param name="Model">What it is downloaded as.</param>
public sealed record VersionMessage(int Version, BlobReference Model);

/// <summary>One evaluation, and how far the run had come.</summary>
public sealed record EvaluationPoint(
    int Version, double Seconds, double Accuracy, double Loss, long ClientUpdates, long BytesUp, long BytesDown, double? MeanStaleness = null)
{
    /// <summary>ε that the run had cost the client that it cost most when the version was published, with what a branch inherited; absent without a policy.</summary>
    public double? Epsilon { get; init; }

    /// <summary>How the accuracy spreads over clients; null where the coordinator evaluated.</summary>
    public ScoreSpreadMessage? Spread { get; init; }
}

/// <summary>Quantiles of the accuracy over clients, each counted once.</summary>
/// <param name="Clients">Clients that reported.</param>
public sealed record ScoreSpreadMessage(int Clients, double Minimum, double LowerDecile, double Median, double UpperDecile, double Maximum);

/// <summary>How clients scored a version on their own data: the distribution, not only the mean.</summary>
/// <param name="Weighted">Mean accuracy by examples.</param>
public sealed record ClientScoresMessage(
    int Version, int Clients, double Weighted, double Mean, double Deviation, double Minimum, double LowerDecile, double Median, double UpperDecile, double Maximum, double MeanLoss)
{
    public IReadOnlyList<ClientScoreMessage> Scores { get; init => field = value ?? []; } = [];
}

/// <summary>What a version scores on one client's own data.</summary>
/// <param name="Examples">That it was evaluated on.</param>
/// <param name="Loss">Mean loss of an example.</param>
public sealed record ClientScoreMessage(string Client, string Name, double Examples, double Accuracy, double Loss);

/// <summary>A client's part in a run.</summary>
/// <param name="Number">Its number in the run.</param>
public sealed record RunClientMessage(int Number, string Client, string Name, double Examples, int Dispatched, int Accepted, double SecondsPerStep);

/// <summary>Reply to <c>GET /v1</c>: who speaks what.</summary>
public sealed record AboutMessage(string Coordinator, int OldestProtocol, int Protocol, string Build);

/// <summary>Body of <c>POST /v1/enrolment-tokens</c>.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Seconds">How long it is good for; 0 for no end. A week when left out.</param>
/// <param name="Reusable">Usable any number of times.</param>
public sealed record EnrolmentTokenRequest(string Name, double Seconds = 7 * 86400, bool Reusable = false);

/// <summary>Body of <c>POST /v1/access-tokens</c>.</summary>
/// <param name="Role"><c>operator</c> or <c>viewer</c>.</param>
/// <param name="Name">Whose it is.</param>
/// <param name="Seconds">How long it is good for; 0 for no end. A day when left out.</param>
public sealed record AccessTokenRequest(string Role, string Name, double Seconds = 86400);

/// <summary>A token, shown once.</summary>
public sealed record NewTokenMessage(string Id, string Token);

/// <summary>A token that was given out, without its secret.</summary>
/// <param name="Kind"><c>operator</c>, <c>viewer</c> or <c>enrolment</c>.</param>
/// <param name="Expires">ISO 8601, UTC; null for no end.</param>
/// <param name="State"><c>good</c>, <c>used</c>, <c>expired</c> or <c>revoked</c>.</param>
public sealed record TokenMessage(string Id, string Kind, string Name, string State, string? Expires = null);

/// <summary>Reply to <c>GET /v1/credentials</c>.</summary>
public sealed record TokenList(IReadOnlyList<TokenMessage> Tokens);

/// <summary>An enrolled client.</summary>
/// <param name="EnrolledAt">ISO 8601, UTC.</param>
/// <param name="RevokedAt">Null while it is good.</param>
/// <param name="Credential"><c>key</c> or <c>certificate</c>.</param>
public sealed record ClientMessage(string Client, string Name, string EnrolledAt, string Credential, string? RevokedAt = null)
{
    /// <summary>ISO 8601, UTC; null where that is not kept: a cluster keeps it, to ten minutes.</summary>
    public string? LastSeen { get; init; }

    /// <summary>From an assignment to its update, over its local steps; null before the first, or where that is not kept.</summary>
    public double? SecondsPerStep { get; init; }

    /// <summary>What it took part in; empty where that is not kept.</summary>
    public IReadOnlyList<ClientPartMessage> Runs { get; init => field = value ?? []; } = [];
}

/// <summary>A client's part in one run.</summary>
/// <param name="Number">Its number in the run.</param>
/// <param name="Assignments">That it was given.</param>
/// <param name="Updates">Of it that counted.</param>
public sealed record ClientPartMessage(string Run, int Number, long Assignments, long Updates);

/// <summary>Reply to <c>GET /v1/clients</c>.</summary>
public sealed record ClientList(IReadOnlyList<ClientMessage> Clients);

/// <summary>Body of <c>POST /v1/clients/{client}:rotate</c>: a client's new public key, in the form of the enrolment.</summary>
public sealed record RotateKeyRequest(string PublicKey);

/// <summary>Body of a revocation.</summary>
public sealed record RevokeRequest(string Reason);

/// <summary>A problem as it comes over the wire (RFC 9457); members that a type adds to it are passed over by those who do not know them.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record ProblemMessage(string Type, string Title, int Status, string Detail, string Instance)
{
    /// <summary>The stable name: the last part of the type.</summary>
    public string Name => Type[(Type.LastIndexOf('/') + 1)..];
}
