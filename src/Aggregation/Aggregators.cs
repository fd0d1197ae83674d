using System.Numerics;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Robust;

namespace Federated.Aggregation;

/// <summary>Names of the aggregators, as config gives them (those of the robust rules are in <see cref="RobustRules"/>), and the way from options to an aggregator.</summary>
public static class Aggregators
{
    /// <summary>The weighted mean of FedAvg, FedBuff, FedFix and FedAsync: the one to start with.</summary>
    public const string Mean = "mean";

    /// <summary>A mean that does not favour the clients that do more local steps: when steps differ and data do too.</summary>
    public const string FedNova = "fednova";

    /// <summary>AFA-CD: for anarchic runs over many devices that arrive alike often.</summary>
    public const string AnarchicMean = "afa-cd";

    /// <summary>AFA-CS: for anarchic runs over some silos, whoever arrives how often; remembers one update per client.</summary>
    public const string AnarchicMemory = "afa-cs";

    /// <summary>Makes the aggregator that <paramref name="options"/> describe.</summary>
    /// <param name="options">Kind and settings.</param>
    /// <param name="dimension">d, the length of every update.</param>
    /// <param name="memory">Where aggregators that remember clients do so; in this process's memory when left out.</param>
    /// <exception cref="AggregationException">A setting is out of its range.</exception>
    public static IAggregator<T> Create<T>(AggregatorOptions options, int dimension, IClientMemory<T>? memory = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            WeightedMeanOptions o => new WeightedMean<T>(dimension, o),
            FedNovaOptions o => new FedNova<T>(dimension, o),
            AnarchicMeanOptions => new AnarchicMean<T>(dimension),
            AnarchicMemoryOptions o => new AnarchicMemory<T>(dimension, o, memory),
            RobustRuleOptions o => RobustRules.CreateAggregator<T>(o, dimension),
            ShiftedMeanOptions o => new ShiftedMean<T>(o, dimension),
            _ => throw new AggregationException($"No aggregator for {options?.GetType().Name ?? "null"}."),
        };
}
