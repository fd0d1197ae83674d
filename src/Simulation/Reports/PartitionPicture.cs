using Federated.Training.Data;

namespace Federated.Simulation.Reports;

/// <summary>How the training examples lie over clients and classes, as far as a picture can show it.</summary>
/// <param name="Clients">Clients of the run.</param>
/// <param name="Names">Names of the clients shown.</param>
/// <param name="Counts">[shown client][class] → training examples.</param>
/// <param name="Examples">Training examples of every client, shown or not.</param>
/// <param name="Describes">The data set, and its sizes.</param>
public sealed record PartitionPicture(
    int Clients, IReadOnlyList<string> Names, IReadOnlyList<IReadOnlyList<int>> Counts, IReadOnlyList<int> Examples, string Describes)
{
    /// <summary>Columns of a picture that can still be told apart.</summary>
    public const int MostClients = 60;

    /// <summary>More clients than can be shown are sampled at equal distances.</summary>
    public static PartitionPicture Of(FederatedData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var summary = PartitionSummary.Of(data);
        var clients = summary.Clients.Length;
        var shown = Math.Min(clients, MostClients);
        var sample = Enumerable.Range(0, shown).Select(i => (int)((long)i * clients / shown)).ToList();
        var unused = summary.UnusedExamples > 0 ? $", {Readable.Number(summary.UnusedExamples)} training examples with no client" : "";
        return new PartitionPicture(
            clients,
            [.. sample.Select(i => summary.Clients[i])],
            [.. sample.Select(i => summary[i].ToArray())],
            summary.Sizes,
            $"{data.Train.Name}: {Readable.Number(data.Train.Count)} training and {Readable.Number(data.Test.Count)} test examples, {data.Train.Classes} classes{unused}");
    }
}
