using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Training.Tests;

/// <summary>One parameter w; an example is (a, b) and its loss a/2·(w − b)². Optima and trajectories have closed forms.</summary>
internal sealed class QuadraticModel : IModel<double>
{
    public ParameterLayout Layout { get; } = ParameterLayout.Of(("w", [1]));

    public int Gradients { get; private set; }

    public void Initialize(Span<double> parameters, SeededRandom random) => parameters[0] = 1.0;

    public double Gradient(ReadOnlySpan<double> parameters, in Batch<double> batch, Span<double> gradient)
    {
        Gradients++;
        gradient[0] = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            gradient[0] += batch.Features[2 * i] * (parameters[0] - batch.Features[(2 * i) + 1]) / batch.Count;
        }

        return Evaluate(parameters, in batch).Loss;
    }

    public Evaluation Evaluate(ReadOnlySpan<double> parameters, in Batch<double> batch)
    {
        var sum = 0.0;
        for (var i = 0; i < batch.Count; i++)
        {
            var distance = parameters[0] - batch.Features[(2 * i) + 1];
            sum += batch.Features[2 * i] / 2 * distance * distance;
        }

        return new Evaluation(batch.Count, 0, sum);
    }

    /// <summary>Example i is (a_i, b_i).</summary>
    public static DataSet Data(params (float A, float B)[] examples) =>
        new("quadratics", [.. examples.SelectMany(e => new[] { e.A, e.B })], new int[examples.Length], [2], 1);
}
