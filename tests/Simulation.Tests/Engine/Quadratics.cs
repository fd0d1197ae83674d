using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Simulation.Tests.Engine;

/// <summary>
/// The scalar fixture of the golden vectors: F_i(w) = a_i/2·(w − b_i)², a = (1, 3), b = (4, −2), n = (10, 30), w⁰ = 1. Each example of
/// client i is the pair (a_i, b_i), so that the mean gradient of any batch of its examples is a_i·(w − b_i).
/// </summary>
internal sealed class Quadratics : IModel<double>
{
    public static FederatedData Data { get; } = Make();

    public ParameterLayout Layout { get; } = ParameterLayout.Of(("w", [1]));

    public void Initialize(Span<double> parameters, SeededRandom random) => parameters[0] = 1;

    public double Gradient(ReadOnlySpan<double> parameters, in Batch<double> batch, Span<double> gradient)
    {
        var (loss, slope) = (0.0, 0.0);
        for (var i = 0; i < batch.Count; i++)
        {
            var (a, b) = (batch.Features[2 * i], batch.Features[(2 * i) + 1]);
            loss += a / 2 * (parameters[0] - b) * (parameters[0] - b);
            slope += a * (parameters[0] - b);
        }

        gradient[0] = slope / batch.Count;
        return loss / batch.Count;
    }

    public Evaluation Evaluate(ReadOnlySpan<double> parameters, in Batch<double> batch)
    {
        var gradient = new double[1];
        return new Evaluation(batch.Count, 0, batch.Count * Gradient(parameters, batch, gradient));
    }

    private static FederatedData Make()
    {
        float[] features = [.. Enumerable.Repeat((float[])[1, 4], 10).SelectMany(x => x), .. Enumerable.Repeat((float[])[3, -2], 30).SelectMany(x => x)];
        var train = new DataSet("quadratics", features, new int[40], [2], 2);
        return new FederatedData(
            train, new DataSet("none", [], [], [2], 2),
            [new ClientShard("0", [.. Enumerable.Range(0, 10)], []), new ClientShard("1", [.. Enumerable.Range(10, 30)], [])]);
    }
}
