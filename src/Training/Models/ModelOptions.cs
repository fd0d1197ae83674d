using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.Models;

/// <summary>Which built-in model is trained; <c>kind</c> names it in configuration (see <see cref="ModelKinds"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SoftmaxRegressionOptions), ModelKinds.Softmax)]
[JsonDerivedType(typeof(MultilayerPerceptronOptions), ModelKinds.MultilayerPerceptron)]
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
