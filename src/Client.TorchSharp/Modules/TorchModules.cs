using Federated.Client.TorchSharp.Data;
using Federated.Training;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>The modules that configuration can name.</summary>
public static class TorchModules
{
    /// <summary>The module of these options for a data set's shape, and how it takes its batches.</summary>
    /// <param name="exampleShape">Shape of one example, for example 1×28×28; of texts, the number of characters.</param>
    public static TorchModule Create(ModelOptions options, IReadOnlyList<int> exampleShape, int classes)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(exampleShape);
        var features = exampleShape.Aggregate(1, (product, extent) => checked(product * extent));
        return options switch
        {
            SoftmaxRegressionOptions => BuiltIn(() => new LayerStack(features, [], 1, features, [classes]), [features]),
            MultilayerPerceptronOptions o => BuiltIn(() => Perceptron(features, o, classes), [features]),
            ConvolutionalNetworkOptions o => BuiltIn(() => Convolutional(o, Image(exampleShape), classes), [.. Image(exampleShape)]),
            ResidualNetworkOptions o => Residual(o, Image(exampleShape), classes),
            CharacterLstmOptions o => new TorchModule(
                () => new CharacterLstm(classes, o.Embedding, o.Hidden, o.Layers), new DataSetReader([features], integers: true), null),
            CharacterTransformerOptions o => new TorchModule(
                () => new CharacterTransformer(classes, features, o), new DataSetReader([features], integers: true), null),
            _ => throw new TrainingException($"No torch module for {options.GetType().Name}."),
        };

        // The managed model's own initial values: both trainers start from the same bits.
        TorchModule BuiltIn(Func<TensorModule> create, int[] shape)
        {
            var managed = ModelFactory.Create<float>(options, exampleShape, classes);
            return new TorchModule(create, new DataSetReader(shape), managed.Initialize);
        }
    }

    private static LayerStack Perceptron(int features, MultilayerPerceptronOptions options, int classes) =>
        options.Hidden.Count == 0
            ? throw new TrainingException("A perceptron without hidden layers is a softmax regression, whose layer has another name; choose 'softmax'.")
            : new LayerStack(features, [], 1, features, [.. options.Hidden, classes]);

    private static LayerStack Convolutional(ConvolutionalNetworkOptions options, int[] image, int classes)
    {
        var (rows, columns) = (image[1], image[2]);
        foreach (var _ in options.Channels)
        {
            (rows, columns) = (rows / 2, columns / 2);
        }

        return new LayerStack(image[0], options.Channels, options.KernelSize, options.Channels[^1] * rows * columns, [.. options.Hidden, classes]);
    }

    private static TorchModule Residual(ResidualNetworkOptions options, int[] image, int classes)
    {
        if (options.Channels.FirstOrDefault(c => c <= 0 || c % options.Groups != 0) is var odd and not 0)
        {
            throw new TrainingException($"A stage of {odd} channels cannot be normalised in {options.Groups} groups; make channels multiples of groups.");
        }

        return new TorchModule(() => new ResidualNetwork(image[0], options.Channels, options.Blocks, options.Groups, classes), new DataSetReader(image), null);
    }

    private static int[] Image(IReadOnlyList<int> shape) => shape switch
    {
        [var height, var width] => [1, height, width],
        [var channels, var height, var width] => [channels, height, width],
        _ => throw new TrainingException(
            $"This model needs images, height × width or channels × height × width; this data has examples of shape {string.Join('×', shape)}. Choose another model."),
    };
}

/// <summary>A module that configuration names.</summary>
/// <param name="Create">Makes it.</param>
/// <param name="Reader">How it takes its batches.</param>
/// <param name="Initialize">Its initial values; null for libtorch's.</param>
public sealed record TorchModule(Func<TensorModule> Create, ITorchBatchReader Reader, InitialValues? Initialize);
