using System.Text.Json;
using Federated.Aggregation.Parameters;

namespace Federated.Client.Training;

/// <summary>A version to be evaluated on the client's own data.</summary>
public sealed class EvaluationTask
{
    private readonly float[] model;

    /// <param name="layout">Names and shapes of the d parameters.</param>
    /// <param name="model">d values; not copied.</param>
    public EvaluationTask(ParameterLayout layout, float[] model)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNotEqual(model.Length, layout.Count);
        (Layout, this.model) = (layout, model);
    }

    public string Run { get; init; } = "";

    public int Version { get; init; }

    public ParameterLayout Layout { get; }

    /// <summary>d parameters.</summary>
    public ReadOnlySpan<float> Model => model;

    /// <summary>The run's local training plan; it names the model.</summary>
    public JsonElement Plan { get; init; }
}

/// <summary>An evaluation on the client's own data.</summary>
/// <param name="Examples">Examples evaluated on.</param>
/// <param name="Accuracy">In [0, 1].</param>
/// <param name="Loss">Mean loss.</param>
public readonly record struct EvaluationResult(double Examples, double Accuracy, double Loss);
