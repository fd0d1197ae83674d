namespace Federated.Aggregation.ExampleWeights;

/// <summary>ω(n): how much an update counts that was trained on n examples.</summary>
public interface IExampleWeight
{
    string Name { get; }

    /// <param name="examples">n ≥ 0, the examples behind the update.</param>
    /// <returns>A factor ≥ 0.</returns>
    double Of(double examples);
}
