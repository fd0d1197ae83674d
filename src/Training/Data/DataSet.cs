using System.Collections.Immutable;

namespace Federated.Training.Data;

/// <summary>Labelled examples in memory: one row of features and one class label each.</summary>
public sealed class DataSet
{
    /// <param name="features">count × featureCount values, row-major.</param>
    /// <param name="labels">One label per example, in [0, classes).</param>
    /// <param name="exampleShape">Shape of one example, for example 1×28×28; its product is the feature count.</param>
    public DataSet(string name, float[] features, int[] labels, ImmutableArray<int> exampleShape, int classes)
    {
        var featureCount = exampleShape.Aggregate(1, (product, extent) => checked(product * extent));
        if ((long)labels.Length * featureCount != features.LongLength)
        {
            throw new TrainingException(
                $"Data set '{name}': {labels.Length} labels of {featureCount} features need {(long)labels.Length * featureCount} values; there are {features.LongLength}.");
        }

        for (var i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classes)
            {
                throw new TrainingException($"Data set '{name}': label {labels[i]} of example {i} is out of range; labels must be in 0..{classes - 1}.");
            }
        }

        (Name, Features, Labels, ExampleShape, FeatureCount, Classes) = (name, features, labels, exampleShape, featureCount, classes);
    }

    public string Name { get; }

    public int Count => Labels.Length;

    public int Classes { get; }

    public int FeatureCount { get; }

    public ImmutableArray<int> ExampleShape { get; }

    public float[] Features { get; }

    public int[] Labels { get; }

    /// <summary>The features of example <paramref name="index"/>.</summary>
    public ReadOnlySpan<float> Row(int index) => Features.AsSpan(index * FeatureCount, FeatureCount);
}
