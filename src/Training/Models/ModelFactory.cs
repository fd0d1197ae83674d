using System.Numerics;
using Federated.Training.LocalTraining;

namespace Federated.Training.Models;

/// <summary>Makes the built-in model that options describe for a data set's shape; call it once per worker thread.</summary>
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
            ConvolutionalNetworkOptions o => Convolutional<T>(o, exampleShape, classes),
            ResidualNetworkOptions => throw NeedsTorch(ModelKinds.ResidualNetwork),
            CharacterLstmOptions => throw NeedsTorch(ModelKinds.CharacterLstm),
            CharacterTransformerOptions => throw NeedsTorch(ModelKinds.CharacterTransformer),
            _ => throw new TrainingException($"No model for {options.GetType().Name}."),
        };
    }

    private static TrainingException NeedsTorch(string kind) =>
        new($"A model of kind '{kind}' is not built in: set trainer: {TrainerKinds.Torch}, or choose {ModelKinds.Softmax}, {ModelKinds.MultilayerPerceptron} or {ModelKinds.ConvolutionalNetwork}.");

    private static ConvolutionalNetwork<T> Convolutional<T>(ConvolutionalNetworkOptions options, IReadOnlyList<int> shape, int classes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (channels, height, width) = shape switch
        {
            [var h, var w] => (1, h, w),
            [var c, var h, var w] => (c, h, w),
            _ => throw new TrainingException(
                $"A convolutional network needs images, height × width or channels × height × width; this data has examples of shape {string.Join('×', shape)}. Choose another model."),
        };
        if (options.Channels.Count == 0)
        {
            throw new TrainingException("A convolutional network needs at least one convolution; channels is empty. Choose 'mlp' for none.");
        }

        return new ConvolutionalNetwork<T>(channels, height, width, [.. options.Channels], options.KernelSize, [.. options.Hidden], classes);
    }
}
