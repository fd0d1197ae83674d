using Federated.Privacy.Shuffle;

namespace Federated.Privacy.Analytics;

/// <summary>
/// The mean of one number a client from P_1D's shuffled bits, with an interval: near the accuracy of a trusted server, which local reports have only
/// for many more clients. (ε, δ)-private against whoever sees the shuffled batch; without the shuffler, a client's bits tell nearly everything.
/// </summary>
/// <remarks><see cref="ScalarSum"/>: noise N·p(1 − p)/g² in the sum, and at most n/(4g²) of rounding. The interval covers the mean over the batch.</remarks>
public static class ShuffledMean
{
    /// <summary>The estimate.</summary>
    /// <param name="protocol">The protocol that clients used on (x − lower)/(upper − lower).</param>
    /// <param name="ones">Ones in the batch.</param>
    /// <param name="clients">Clients in it.</param>
    /// <param name="options">Range and confidence.</param>
    public static AnalysisResult Estimate(ScalarSum protocol, long ones, long clients, MeanOptions options)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        ArgumentNullException.ThrowIfNull(options);
        var width = options.Upper - options.Lower;
        var mean = options.Lower + (width * protocol.Analyze(ones, clients) / clients);
        var variance = protocol.NoiseVariance(clients) + (clients / (4.0 * protocol.Levels * protocol.Levels));
        var reach = Numerics.NormalDistribution.UpperQuantile((1 - options.Confidence) / 2) * width * Math.Sqrt(variance) / clients;
        return new(
            AnalysisKinds.Mean, clients, options.Confidence,
            [new("mean", mean, Math.Max(options.Lower, mean - reach), Math.Min(options.Upper, mean + reach))],
            [$"Shuffled bits of {clients} clients; the guarantee was computed for {protocol.MinimumClients} honest ones."]);
    }
}
