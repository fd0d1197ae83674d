using System.Numerics;

namespace Federated.Training.Models;

/// <summary>Makes the model that options describe for a data set's shape; call it once per worker thread.</summary>
public static class ModelFactory
{
    /// <param name="exampleShape">Shape of one example, for example 1×28×28.</param>
    public static IResidentModel<T> Create<T>(ModelOptions options, IReadOnlyList<int> exampleShape, int classes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(exampleShape);
        var features = exampleShape.Aggregate(1, (product, extent) => checked(product * extent));
        if (features <= 0 || classes < 2)
        {
            throw new TrainingException(
                $"A model needs at least one feature and two classes; this data has examples of shape {string.Join('×', exampleShape)} and {classes} classes.");
        }

        return options switch
        {
            SoftmaxRegressionOptions => new SoftmaxRegression<T>(features, classes),
            MultilayerPerceptronOptions o => new MultilayerPerceptron<T>(features, [.. o.Hidden], classes),
            _ => throw new TrainingException($"No model for {options.GetType().Name}."),
        };
    }
}
