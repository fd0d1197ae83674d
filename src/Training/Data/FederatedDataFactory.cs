using System.Globalization;
using Federated.Aggregation.Randomness;
using Federated.Training.Data.Generators;
using Federated.Training.Data.Loading;
using Federated.Training.Data.Loading.Csv;
using Federated.Training.Data.Partitioning;
using Federated.Training.Data.Sets;

namespace Federated.Training.Data;

/// <summary>From the <c>data</c> section of an experiment to the split data: loads or generates the set, then partitions it.</summary>
public static class FederatedDataFactory
{
    /// <param name="dataDirectory">The folder that holds one folder per known set, and against which relative paths are resolved.</param>
    /// <param name="seed">The run's seed; <see cref="DataOptions.Seed"/> takes precedence.</param>
    /// <exception cref="TrainingException">The data are not there, not as described, or cannot be partitioned as asked.</exception>
    public static FederatedData Create(DataOptions options, string dataDirectory, ulong seed)
    {
        var dataSeed = options.Seed ?? seed;
        var source = Preparation.Limit(Load(options, dataDirectory, dataSeed), options.TrainExamples, options.TestExamples);
        if (options.Standardize)
        {
            Preparation.Standardize(source);
        }

        return options.Partition switch
        {
            NaturalPartition when source.Clients.FirstOrDefault(client => client.Train.Length == 0) is { } empty => throw new TrainingException(
                $"Data set '{source.Train.Name}': client '{empty.Name}' has no training example left; raise trainExamples or choose another partition."),
            NaturalPartition when source.Clients.Count > 0 => source,
            NaturalPartition => throw new TrainingException(
                $"Data set '{source.Train.Name}' has no clients of its own, so partition 'natural' is impossible; choose another partition.kind, for example iid."),
            LabelPartition partition => source with { Clients = Split(source.Train, partition, dataSeed) },
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Partition, "Unknown partition."),
        };
    }

    private static ClientShard[] Split(DataSet train, LabelPartition options, ulong seed)
    {
        var random = SeededRandom.Derive(seed, "partition");
        var shards = Partitioners.Create(options).Partition(train.Labels, train.Classes, options.Clients, random);
        return [.. shards.Select((indices, i) => new ClientShard(i.ToString(CultureInfo.InvariantCulture), indices, []))];
    }

    private static FederatedData Load(DataOptions options, string dataDirectory, ulong seed) => (options.Set, options.Source) switch
    {
        (null, null) => throw new TrainingException($"The data section names no data; give 'set' (one of {KnownDataSets.Names}) or describe a 'source'."),
        (not null, not null) => throw new TrainingException($"The data section has both 'set: {options.Set}' and a 'source'; give one of them."),
        (not null, null) => KnownDataSets.Find(options.Set).Load(dataDirectory, seed),
        (null, DrawnDigitsOptions drawn) => DrawnDigits.Generate(drawn, seed),
        (null, CsvSourceOptions csv) => CsvSource.Load(csv, dataDirectory, seed),
        (null, LeafSourceOptions leaf) => LeafSource.Load(leaf, dataDirectory),
        (null, SpeechSourceOptions speeches) => SpeechSource.Load(speeches, SpeechSource.Name, dataDirectory),
        (null, SyntheticShape synthetic) => Synthetic.Generate(synthetic, seed),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Source, "Unknown source."),
    };
}
