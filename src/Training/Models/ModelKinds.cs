namespace Federated.Training.Models;

/// <summary>Names of the built-in models.</summary>
public static class ModelKinds
{
    /// <summary>Softmax regression: choose it for convex problems, tabular data and the synthetic sets.</summary>
    public const string Softmax = "softmax";

    /// <summary>Multilayer perceptron: choose it as the cheap non-convex model.</summary>
    public const string MultilayerPerceptron = "mlp";

    /// <summary>Convolutional network of McMahan et al.: choose it for images.</summary>
    public const string ConvolutionalNetwork = "cnn";
}
