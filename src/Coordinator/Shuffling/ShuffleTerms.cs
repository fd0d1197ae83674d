using System.Globalization;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Shuffling;

/// <summary>How the reports of a run reach the coordinator when they pass shufflers.</summary>
public sealed record ShuffleTerms
{
    /// <summary>Names of the shufflers, first to last.</summary>
    public required IReadOnlyList<string> Shufflers { get; init; }

    /// <summary>Fewest reports of a batch.</summary>
    public required int Minimum { get; init; }

    /// <summary>Reports at which a batch is closed.</summary>
    public required int Target { get; init; }

    /// <summary>Seconds after a batch's first report at which it is closed, or dropped.</summary>
    public required double WindowSeconds { get; init; }

    /// <summary>Bytes to which reports are padded.</summary>
    public required int ReportBytes { get; init; }

    /// <summary>What clients do before they seal.</summary>
    public required ProtectionMessage Protection { get; init; }

    /// <summary>Whether a version has batches of its own, as cohorts do; else all reports of the run are of one stream.</summary>
    public required bool IsByVersion { get; init; }

    /// <summary>Group of a client by the public coin that its assignment comes with, where reports of different groups look different and can only hide among their own; null where there are none.</summary>
    public Func<ulong, int>? GroupOf { get; init; }

    /// <summary>Name of the batch that an assignment's report is for.</summary>
    /// <param name="coin">The seed in the assignment's terms.</param>
    public string BatchOf(int baseVersion, ulong coin)
    {
        var name = IsByVersion ? string.Create(CultureInfo.InvariantCulture, $"v{baseVersion}") : "stream";
        return GroupOf is null ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-g{GroupOf(coin)}");
    }
}
