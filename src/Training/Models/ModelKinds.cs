namespace Federated.Training.Models;

/// <summary>Names of the models.</summary>
public static class ModelKinds
{
    /// <summary>Softmax regression: choose it for convex problems, tabular data and the synthetic sets.</summary>
    public const string Softmax = "softmax";

    /// <summary>Multilayer perceptron: choose it as the cheap non-convex model.</summary>
    public const string MultilayerPerceptron = "mlp";

    /// <summary>Convolutional network of McMahan et al.: choose it for images.</summary>
    public const string ConvolutionalNetwork = "cnn";

    /// <summary>Residual network with group normalisation, by <c>trainer: torch</c>: choose it for images when accuracy is worth the time.</summary>
    public const string ResidualNetwork = "resnet";

    /// <summary>Long short-term memory over characters, by <c>trainer: torch</c>: choose it for the next character of a text, as LEAF and McMahan et al. do.</summary>
    public const string CharacterLstm = "char-lstm";

    /// <summary>Small transformer over characters, by <c>trainer: torch</c>: choose it where only low-rank adapters are to travel.</summary>
    public const string CharacterTransformer = "char-transformer";
}
