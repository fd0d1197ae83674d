using Federated.Aggregation.Randomness;
using Federated.Training.Data;

namespace Federated.Simulation.Tests.Engine;

/// <summary>Small classification data: Gaussian clouds, split over clients of very different sizes.</summary>
internal static class TestData
{
    public const int Features = 8, Classes = 4;

    public static FederatedData Clouds(int clients, ulong seed)
    {
        var random = new SeededRandom(seed);
        var shards = new List<ClientShard>();
        var count = 0;
        for (var client = 0; client < clients; client++)
        {
            var size = 5 + random.NextInt(60);
            shards.Add(new ClientShard($"c{client}", [.. Enumerable.Range(count, size)], [2 * client, (2 * client) + 1]));
            count += size;
        }

        return new FederatedData(Draw("train", count, random), Draw("test", Math.Max(300, 2 * clients), random), shards);
    }

    private static DataSet Draw(string name, int count, SeededRandom random)
    {
        var (features, labels) = (new float[count * Features], new int[count]);
        for (var i = 0; i < count; i++)
        {
            labels[i] = random.NextInt(Classes);
            for (var j = 0; j < Features; j++)
            {
                features[(i * Features) + j] = (float)((j % Classes == labels[i] ? 1.5 : 0) + random.NextNormal());
            }
        }

        return new DataSet(name, features, labels, [Features], Classes);
    }
}
