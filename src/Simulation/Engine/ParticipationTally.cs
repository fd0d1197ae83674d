using Federated.Simulation.Results;

namespace Federated.Simulation.Engine;

/// <summary>
/// Compares the weight that each client really has in the published versions with the one that it was meant to have: the participation
/// bias. A run whose shares differ optimises another objective than the one that was asked for.
/// </summary>
/// <remarks>
/// Fraboni, Vidal, Kameni, Lorenzi, JMLR 2023, §3, https://arxiv.org/abs/2206.10189: q̃_i, the time average of the aggregation weights, is
/// proportional to p_i exactly when the optimum is unbiased. Weights are compared before normalisation by the aggregate's sum, each
/// aggregate counting alike. Cost: 16 B per client.
/// </remarks>
internal sealed class ParticipationTally
{
    /// <summary>Clients beyond this number are not listed one by one.</summary>
    private const int Listed = 1000;

    private readonly double[] weights;
    private readonly int[] updates;
    private readonly double[] intended;
    private readonly List<(int Client, double Weight)> open = [];
    private readonly bool normalises;
    private long versions;

    /// <param name="intended">p_i of each client, summing to 1.</param>
    /// <param name="normalises">Whether the aggregator divides by the weights' sum, so that only shares within an aggregate matter.</param>
    public ParticipationTally(double[] intended, bool normalises)
    {
        (this.intended, this.normalises) = (intended, normalises);
        weights = new double[intended.Length];
        updates = new int[intended.Length];
    }

    /// <summary>p_i = ω(n_i)/Σ_j ω(n_j).</summary>
    public static double[] Shares(int clients, Func<int, double> examples, Func<double, double> importance)
    {
        var shares = new double[clients];
        var sum = 0.0;
        for (var i = 0; i < clients; i++)
        {
            sum += shares[i] = importance(examples(i));
        }

        for (var i = 0; i < clients; i++)
        {
            shares[i] /= sum;
        }

        return shares;
    }

    public void Accumulate(int client, double weight) => open.Add((client, weight));

    public void Publish()
    {
        var sum = normalises ? open.Sum(o => o.Weight) : 1;
        foreach (var (client, weight) in open)
        {
            weights[client] += sum > 0 ? weight / sum : 0;
            updates[client]++;
        }

        open.Clear();
        versions++;
    }

    /// <summary>The result; null before the first version.</summary>
    public ParticipationSummary? Summarize()
    {
        var total = weights.Sum();
        if (versions == 0 || total <= 0)
        {
            return null;
        }

        var distance = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            distance += Math.Abs((weights[i] / total) - intended[i]) / 2;
        }

        return new ParticipationSummary(
            distance,
            [.. Enumerable.Range(0, Math.Min(Listed, weights.Length)).Select(i => new ClientParticipation(i, updates[i], intended[i], weights[i] / total))]);
    }
}
