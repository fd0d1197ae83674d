namespace Federated.Training.Data;

/// <summary>What is done to loaded data before they are partitioned.</summary>
internal static class Preparation
{
    private const double Floor = 0.001;

    /// <summary>Keeps the first examples of each set; clients keep what is left of theirs.</summary>
    public static FederatedData Limit(FederatedData data, int? trainExamples, int? testExamples)
    {
        if (trainExamples is null && testExamples is null)
        {
            return data;
        }

        var (train, test) = (First(data.Train, trainExamples, "trainExamples"), First(data.Test, testExamples, "testExamples"));
        var clients = data.Clients
            .Select(client => client with
            {
                Train = Array.FindAll(client.Train, i => i < train.Count),
                Test = Array.FindAll(client.Test, i => i < test.Count),
            })
            .ToArray();
        return new FederatedData(train, test, clients);
    }

    /// <summary>(x − mean)/(deviation + 0.001) per feature, both over the training set; the sets are changed in place.</summary>
    /// <remarks>Li et al., FedProx, MLSys 2020, its generator for MNIST: the floor keeps pixels that are always black at 0.</remarks>
    public static void Standardize(FederatedData data)
    {
        var features = data.Train.FeatureCount;
        var (means, deviations) = (new double[features], new double[features]);
        for (var i = 0; i < data.Train.Count; i++)
        {
            var row = data.Train.Row(i);
            for (var j = 0; j < features; j++)
            {
                means[j] += row[j];
            }
        }

        for (var j = 0; j < features; j++)
        {
            means[j] /= data.Train.Count;
        }

        // Two passes: the difference of large sums would lose what is small in a variance.
        for (var i = 0; i < data.Train.Count; i++)
        {
            var row = data.Train.Row(i);
            for (var j = 0; j < features; j++)
            {
                deviations[j] += (row[j] - means[j]) * (row[j] - means[j]);
            }
        }

        for (var j = 0; j < features; j++)
        {
            deviations[j] = Math.Sqrt(deviations[j] / data.Train.Count) + Floor;
        }

        foreach (var set in new[] { data.Train, data.Test })
        {
            for (var i = 0; i < set.Features.Length; i++)
            {
                set.Features[i] = (float)((set.Features[i] - means[i % features]) / deviations[i % features]);
            }
        }
    }

    private static DataSet First(DataSet set, int? count, string option) => count switch
    {
        null => set,
        { } n when n <= set.Count => new DataSet(set.Name, set.Features[..(n * set.FeatureCount)], set.Labels[..n], set.ExampleShape, set.Classes),
        { } n => throw new TrainingException($"{option} is {n}; data set '{set.Name}' has {set.Count}."),
    };
}
