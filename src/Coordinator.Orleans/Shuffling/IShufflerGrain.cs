using Federated.Protocol.Shuffling;
using Federated.Shuffler;
using Federated.Shuffler.Batches;

namespace Federated.Coordinator.Orleans.Shuffling;

/// <summary>The shuffler of a cluster that is a shuffler's own; the key is its name. Everything is safe to repeat.</summary>
[Alias("fed.shuffler")]
internal interface IShufflerGrain : IGrainWithStringKey
{
    /// <summary>Takes a report whose envelope has been opened.</summary>
    /// <returns>Null when it cannot be taken now.</returns>
    [Alias("take")]
    Task<ReportOutcome?> TakeAsync([Immutable] HeldForm report);

    /// <param name="sealingKey">The key that the asking front door opens envelopes with.</param>
    [Alias("look")]
    Task<ShufflerLook> LookAsync(string sealingKey);
}

/// <summary>A report, as one silo hands it to another.</summary>
[GenerateSerializer, Immutable, Alias("fed.held-report")]
internal sealed record HeldForm(
    [property: Id(0)] string Run,
    [property: Id(1)] string Batch,
    [property: Id(2)] int Minimum,
    [property: Id(3)] int Target,
    [property: Id(4)] double WindowSeconds,
    [property: Id(5)] int ReportBytes,
    [property: Id(6)] int Hops,
    [property: Id(7)] int ReportsPerClient,
    [property: Id(8)] long Assignment,
    [property: Id(9)] int Client,
    [property: Id(10)] long Expires,
    [property: Id(11)] byte[] Inner)
{
    public static HeldForm Of(in HeldReport report)
    {
        var t = report.Ticket;
        return new HeldForm(t.Run, t.Batch, t.Minimum, t.Target, t.WindowSeconds, t.ReportBytes, t.Hops, t.ReportsPerClient, t.Assignment, t.Client, t.Expires, report.Inner.ToArray());
    }

    public HeldReport ToReport() => HeldReport.Of(
        new ShuffleTicket(Run, Batch, Minimum, Target, WindowSeconds, ReportBytes, Hops, ReportsPerClient, Assignment, Client, Expires), Inner);
}

/// <summary>How the shuffler stands.</summary>
/// <param name="HasOtherKeys">The silo that has it was started with other keys than the one that asks.</param>
[GenerateSerializer, Immutable, Alias("fed.shuffler-look")]
internal sealed record ShufflerLook(
    [property: Id(0)] bool IsReady,
    [property: Id(1)] string Trouble,
    [property: Id(2)] long Batches,
    [property: Id(3)] long Dropped,
    [property: Id(4)] long Reports,
    [property: Id(5)] long Erased,
    [property: Id(6)] bool HasOtherKeys)
{
    public ShufflerTotals Totals => new(Batches, Dropped, Reports, Erased);
}
