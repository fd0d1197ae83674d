using System.Globalization;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Simulation.Serving;

/// <summary>A client that plays the part of one of an experiment's shards: the same examples as that client has under <c>fed run</c>.</summary>
/// <param name="shards">The data that the clients of this process share.</param>
/// <param name="index">The shard, from 0.</param>
public sealed class ShardData(SharedShards shards, int index) : IClientData
{
    public int? Examples => shards.IfLoaded is { } data ? Shard(data).Train.Length : null;

    public ClientExamples Load(ClientPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var data = shards.Load(plan);
        var shard = Shard(data);
        return new ClientExamples(data.Train, shard.Train, data.Test, shard.Test);
    }

    private ClientShard Shard(FederatedData data) => index < data.Clients.Count
        ? data.Clients[index]
        : throw new TrainingException(string.Create(
            CultureInfo.InvariantCulture, $"The experiment's data have {data.Clients.Count} clients, numbered from 0; there is no number {index}. Choose a lower index."));
}

/// <summary>An experiment's data, loaded once for all clients of a process.</summary>
/// <param name="dataDirectory">Where known data sets stand, and against which relative paths are resolved.</param>
public sealed class SharedShards(string dataDirectory)
{
    private readonly Lock sync = new();
    private volatile FederatedData? data;

    /// <summary>The data; null before they have been loaded. Never waits: a thousand clients ask while one of them loads.</summary>
    public FederatedData? IfLoaded => data;

    /// <summary>Loads by an experiment file's own data section, before any plan is there.</summary>
    public void Load(DataOptions options, ulong seed)
    {
        lock (sync)
        {
            data ??= FederatedDataFactory.Create(options, dataDirectory, seed);
        }
    }

    /// <summary>Loads by the plan's data section, unless they are there.</summary>
    public FederatedData Load(ClientPlan plan)
    {
        if (IfLoaded is null)
        {
            Load(
                plan.Data ?? throw new TrainingException("The run's plan has no data section to take a shard of: its clients bring their own data. Use --data."),
                plan.Seed);
        }

        var loaded = IfLoaded!;
        DataForm.Check(loaded.Train, plan);
        return loaded;
    }
}
