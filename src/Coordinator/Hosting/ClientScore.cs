using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>What one client found when it evaluated a version on its own data.</summary>
/// <param name="Examples">Examples evaluated on.</param>
/// <param name="Accuracy">In [0, 1].</param>
/// <param name="Loss">Mean loss.</param>
public readonly record struct ClientScore(ClientId Client, double Examples, double Accuracy, double Loss)
{
    /// <summary>Whether the numbers can be those of an evaluation.</summary>
    public bool IsSound => double.IsFinite(Examples) && Examples > 0 && Accuracy is >= 0 and <= 1 && double.IsFinite(Loss);

    internal void Write(BinaryWriter writer)
    {
        writer.Write(Client.Value);
        writer.Write(Examples);
        writer.Write(Accuracy);
        writer.Write(Loss);
    }

    internal static ClientScore[] ReadAll(BinaryReader reader)
    {
        var count = reader.ReadInt32();
        var scores = count == 0 ? [] : new ClientScore[count];
        for (var i = 0; i < count; i++)
        {
            scores[i] = new ClientScore(new ClientId(reader.ReadInt32()), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        }

        return scores;
    }
}

/// <summary>How clients' accuracies spread: a mean says nothing of those it leaves behind.</summary>
/// <param name="Count">Clients that reported.</param>
/// <remarks>Quantiles by linear interpolation between order statistics, each client counted once.</remarks>
public sealed record ScoreSpread(int Count, double Minimum, double LowerDecile, double Median, double UpperDecile, double Maximum)
{
    public static ScoreSpread? Of(IReadOnlyList<ClientScore> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Count == 0)
        {
            return null;
        }

        var sorted = scores.Select(s => s.Accuracy).Order().ToArray();
        return new ScoreSpread(sorted.Length, sorted[0], Quantile(sorted, 0.1), Quantile(sorted, 0.5), Quantile(sorted, 0.9), sorted[^1]);
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(Count);
        foreach (var value in (ReadOnlySpan<double>)[Minimum, LowerDecile, Median, UpperDecile, Maximum])
        {
            writer.Write(value);
        }
    }

    internal static ScoreSpread Read(BinaryReader reader) => new(
        reader.ReadInt32(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());

    private static double Quantile(double[] sorted, double share)
    {
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        return below + 1 == sorted.Length ? sorted[below] : sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below]));
    }
}
