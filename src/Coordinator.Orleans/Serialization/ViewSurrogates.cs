using System.Collections.Immutable;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Privacy;

namespace Federated.Coordinator.Orleans.Serialization;

[GenerateSerializer, Immutable, Alias("fed.view")]
internal struct RunViewSurrogate
{
    [Id(0)] public HostState Host;
    [Id(1)] public string Problem;
    [Id(2)] public RunStatus Status;
    [Id(3)] public double Now;
    [Id(4)] public long Sequence;
    [Id(5)] public int Version;
    [Id(6)] public int BestVersion;
    [Id(7)] public double BestAccuracy;
    [Id(8)] public long[] Counters;
    [Id(9)] public int Clients;
    [Id(10)] public int WaitingClients;
    [Id(11)] public int LongPolls;
    [Id(12)] public FinishReason? EndReason;
    [Id(13)] public string? EndDetail;
    [Id(14)] public Dictionary<int, VersionBlobs> Versions;
    [Id(15)] public int MailboxDepth;
    [Id(16)] public PrivacyGuarantee? Spent;
    [Id(17)] public int SavedVersion;
    [Id(18)] public string? SavedOptimizer;
    [Id(19)] public Federated.Protocol.BlobReference? SavedState;
}

[RegisterConverter]
internal sealed class RunViewConverter : IConverter<RunView, RunViewSurrogate>
{
    public RunView ConvertFromSurrogate(in RunViewSurrogate surrogate)
    {
        var c = surrogate.Counters;
        return new RunView
        {
            Host = surrogate.Host,
            Problem = surrogate.Problem,
            Status = surrogate.Status,
            Now = surrogate.Now,
            Sequence = surrogate.Sequence,
            Version = surrogate.Version,
            BestVersion = surrogate.BestVersion,
            BestAccuracy = surrogate.BestAccuracy,
            Counters = new RunCounters(c[0], c[1], c[2], c[3], c[4], c[5], c[6]),
            Clients = surrogate.Clients,
            WaitingClients = surrogate.WaitingClients,
            LongPolls = surrogate.LongPolls,
            Ended = surrogate.EndReason is { } reason ? (reason, surrogate.EndDetail ?? "") : null,
            Versions = surrogate.Versions.ToImmutableSortedDictionary(),
            MailboxDepth = surrogate.MailboxDepth,
            Spent = surrogate.Spent,
            Saved = surrogate.SavedState is { } state ? new SavedState(surrogate.SavedVersion, surrogate.SavedOptimizer ?? "", state) : null,
        };
    }

    public RunViewSurrogate ConvertToSurrogate(in RunView value)
    {
        var c = value.Counters;
        return new RunViewSurrogate
        {
            Host = value.Host,
            Problem = value.Problem,
            Status = value.Status,
            Now = value.Now,
            Sequence = value.Sequence,
            Version = value.Version,
            BestVersion = value.BestVersion,
            BestAccuracy = value.BestAccuracy,
            Counters = [c.Dispatched, c.Accepted, c.Rejected, c.Lost, c.InFlight, c.Ignored, c.Accumulated],
            Clients = value.Clients,
            WaitingClients = value.WaitingClients,
            LongPolls = value.LongPolls,
            EndReason = value.Ended?.Reason,
            EndDetail = value.Ended?.Detail,
            Versions = value.Versions.ToDictionary(),
            MailboxDepth = value.MailboxDepth,
            Spent = value.Spent,
            SavedVersion = value.Saved?.Version ?? 0,
            SavedOptimizer = value.Saved?.Optimizer,
            SavedState = value.Saved?.State,
        };
    }
}

[GenerateSerializer, Immutable, Alias("fed.guarantee")]
internal struct PrivacyGuaranteeSurrogate
{
    [Id(0)] public double Epsilon;
    [Id(1)] public double Delta;
    [Id(2)] public PrivacyUnit Unit;
    [Id(3)] public Adjacency Adjacency;
    [Id(4)] public TrustModel Trust;
    [Id(5)] public string Accountant;
    [Id(6)] public string[] Assumptions;
}

[RegisterConverter]
internal sealed class PrivacyGuaranteeConverter : IConverter<PrivacyGuarantee, PrivacyGuaranteeSurrogate>
{
    public PrivacyGuarantee ConvertFromSurrogate(in PrivacyGuaranteeSurrogate surrogate) => new()
    {
        Epsilon = surrogate.Epsilon,
        Delta = surrogate.Delta,
        Relation = new NeighbourRelation(surrogate.Unit, surrogate.Adjacency),
        Trust = surrogate.Trust,
        Accountant = surrogate.Accountant,
        Assumptions = surrogate.Assumptions,
    };

    public PrivacyGuaranteeSurrogate ConvertToSurrogate(in PrivacyGuarantee value) => new()
    {
        Epsilon = value.Epsilon,
        Delta = value.Delta,
        Unit = value.Relation.Unit,
        Adjacency = value.Relation.Adjacency,
        Trust = value.Trust,
        Accountant = value.Accountant,
        Assumptions = [.. value.Assumptions],
    };
}

[GenerateSerializer, Immutable, Alias("fed.client-score")]
internal struct ClientScoreSurrogate
{
    [Id(0)] public int Client;
    [Id(1)] public double Examples;
    [Id(2)] public double Accuracy;
    [Id(3)] public double Loss;
}

[RegisterConverter]
internal sealed class ClientScoreConverter : IConverter<ClientScore, ClientScoreSurrogate>
{
    public ClientScore ConvertFromSurrogate(in ClientScoreSurrogate s) => new(new Federated.Protocol.ClientId(s.Client), s.Examples, s.Accuracy, s.Loss);

    public ClientScoreSurrogate ConvertToSurrogate(in ClientScore v) => new() { Client = v.Client.Value, Examples = v.Examples, Accuracy = v.Accuracy, Loss = v.Loss };
}

[GenerateSerializer, Immutable, Alias("fed.client-facts")]
internal struct ClientFactsSurrogate
{
    [Id(0)] public double Examples;
    [Id(1)] public int Dispatched;
    [Id(2)] public int AcceptedUpdates;
    [Id(3)] public int LastIncludedIn;
    [Id(4)] public double SecondsPerStep;
    [Id(5)] public double LastDispatchedAt;
}

[RegisterConverter]
internal sealed class ClientFactsConverter : IConverter<ClientFacts, ClientFactsSurrogate>
{
    public ClientFacts ConvertFromSurrogate(in ClientFactsSurrogate s) =>
        new(s.Examples, s.Dispatched, s.AcceptedUpdates, s.LastIncludedIn, s.SecondsPerStep, s.LastDispatchedAt);

    public ClientFactsSurrogate ConvertToSurrogate(in ClientFacts v) => new()
    {
        Examples = v.Examples,
        Dispatched = v.Dispatched,
        AcceptedUpdates = v.AcceptedUpdates,
        LastIncludedIn = v.LastIncludedIn,
        SecondsPerStep = v.SecondsPerStep,
        LastDispatchedAt = v.LastDispatchedAt,
    };
}

[GenerateSerializer, Immutable, Alias("fed.metric-point")]
internal struct MetricPointSurrogate
{
    [Id(0)] public long Index;
    [Id(1)] public double Time;
    [Id(2)] public int Version;
    [Id(3)] public double Accuracy;
    [Id(4)] public double Loss;
    [Id(5)] public long Accepted;
    [Id(6)] public long Rejected;
    [Id(7)] public long Lost;
    [Id(8)] public long BytesUp;
    [Id(9)] public long BytesDown;
    [Id(10)] public double MeanStaleness;
    [Id(11)] public int SpreadCount;
    [Id(12)] public double[]? Spread;
    [Id(13)] public double Epsilon;
}

[RegisterConverter]
internal sealed class MetricPointConverter : IConverter<MetricPoint, MetricPointSurrogate>
{
    public MetricPoint ConvertFromSurrogate(in MetricPointSurrogate s) => new(
        s.Index, s.Time, s.Version, s.Accuracy, s.Loss, s.Accepted, s.Rejected, s.Lost, s.BytesUp, s.BytesDown, s.MeanStaleness,
        s.Spread is [var minimum, var lower, var median, var upper, var maximum] ? new ScoreSpread(s.SpreadCount, minimum, lower, median, upper, maximum) : null) { Epsilon = s.Epsilon };

    public MetricPointSurrogate ConvertToSurrogate(in MetricPoint v) => new()
    {
        Index = v.Index,
        Time = v.Time,
        Version = v.Version,
        Accuracy = v.Accuracy,
        Loss = v.Loss,
        Accepted = v.Accepted,
        Rejected = v.Rejected,
        Lost = v.Lost,
        BytesUp = v.BytesUp,
        BytesDown = v.BytesDown,
        MeanStaleness = v.MeanStaleness,
        Epsilon = v.Epsilon,
        SpreadCount = v.Spread?.Count ?? 0,
        Spread = v.Spread is { } spread ? [spread.Minimum, spread.LowerDecile, spread.Median, spread.UpperDecile, spread.Maximum] : null,
    };
}

/// <summary>An event and its effects, as the log has them.</summary>
[GenerateSerializer, Immutable, Alias("fed.notice")]
internal struct RunNoticeSurrogate
{
    [Id(0)] public long Sequence;
    [Id(1)] public byte[] Event;
    [Id(2)] public string Member;
    [Id(3)] public byte[] Effects;
    [Id(4)] public byte[]? Facts;
}

[RegisterConverter]
internal sealed class RunNoticeConverter : IConverter<RunNotice, RunNoticeSurrogate>
{
    public RunNotice ConvertFromSurrogate(in RunNoticeSurrogate surrogate) =>
        new(surrogate.Sequence, Forms.Read(surrogate.Event, EventForm.ReadEvent), surrogate.Member, EffectForm.Read(surrogate.Effects)) { Facts = FactForm.Read(surrogate.Facts) };

    public RunNoticeSurrogate ConvertToSurrogate(in RunNotice value) => new()
    {
        Sequence = value.Sequence,
        Event = Forms.Write(value.Event, EventForm.WriteEvent),
        Member = value.Member,
        Effects = EffectForm.Write(value.Effects),
        Facts = FactForm.Write(value.Facts),
    };
}
