using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.Models;

/// <summary>Which model is trained; <c>kind</c> names it in configuration (see <see cref="ModelKinds"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SoftmaxRegressionOptions), ModelKinds.Softmax)]
[JsonDerivedType(typeof(MultilayerPerceptronOptions), ModelKinds.MultilayerPerceptron)]
[JsonDerivedType(typeof(ConvolutionalNetworkOptions), ModelKinds.ConvolutionalNetwork)]
[JsonDerivedType(typeof(ResidualNetworkOptions), ModelKinds.ResidualNetwork)]
[JsonDerivedType(typeof(CharacterLstmOptions), ModelKinds.CharacterLstm)]
[JsonDerivedType(typeof(CharacterTransformerOptions), ModelKinds.CharacterTransformer)]
public abstract record ModelOptions;

/// <summary>Multinomial logistic regression: no options.</summary>
public sealed record SoftmaxRegressionOptions : ModelOptions;

/// <summary>Fully connected layers with ReLU between them.</summary>
public sealed record MultilayerPerceptronOptions : ModelOptions
{
    /// <summary>Width of each hidden layer, first to last.</summary>
    /// <value>The default is [200]; [200, 200] is the 2NN of McMahan et al. Each must be 1 or more.</value>
    [Required]
    public IReadOnlyList<int> Hidden { get; init; } = [200];
}

/// <summary>Convolutions with pooling, then fully connected layers.</summary>
public sealed record ConvolutionalNetworkOptions : ModelOptions
{
    /// <summary>Output channels of each convolution, first to last; each is followed by ReLU and 2×2 max pooling.</summary>
    /// <value>The default is [32, 64], as in McMahan et al. Each must be 1 or more; at least one.</value>
    [Required]
    [MinLength(1)]
    public IReadOnlyList<int> Channels { get; init; } = [32, 64];

    /// <summary>Height and width of the kernels.</summary>
    /// <value>The default is 5. Must be odd.</value>
    [Range(1, 31)]
    public int KernelSize { get; init; } = 5;

    /// <summary>Width of each hidden fully connected layer.</summary>
    /// <value>The default is [512]. Each must be 1 or more; may be empty.</value>
    [Required]
    public IReadOnlyList<int> Hidden { get; init; } = [512];
}
