using System.ComponentModel.DataAnnotations;

namespace Federated.Training.Data.Generators;

/// <summary>What FedProx's four synthetic sets share; the defaults are the paper's.</summary>
public abstract record SyntheticShape : DataSourceOptions
{
    /// <value>N, the number of clients. The default is 30. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int Clients { get; init; } = 30;

    /// <value>d, the number of features. The default is 60. Must be in 1..100000.</value>
    [Range(1, 100_000)]
    public int Features { get; init; } = 60;

    /// <value>C, the number of classes. The default is 10. Must be in 2..10000.</value>
    [Range(2, 10_000)]
    public int Classes { get; init; } = 10;

    /// <value>What is added to the lognormal draw of a client's size. The default is 50. Must be in 2..1000000.</value>
    [Range(2, 1_000_000)]
    public int MinExamples { get; init; } = 50;

    /// <value>μ of the lognormal sizes. The default is 4. Must be in [0, 15].</value>
    [Range(0.0, 15.0)]
    public double SizeMu { get; init; } = 4;

    /// <value>σ of the lognormal sizes. The default is 2. Must be in [0, 4].</value>
    [Range(0.0, 4.0)]
    public double SizeSigma { get; init; } = 2;
}

/// <summary>Options of Synthetic(α, β), see <see cref="Synthetic"/>; the defaults are the paper's Synthetic(1, 1).</summary>
public sealed record SyntheticOptions : SyntheticShape
{
    /// <value>α, how much the clients' models differ: the standard deviation of the means of their weights. The default is 1. Must be in [0, 1000].</value>
    [Range(0.0, 1000.0)]
    public double Alpha { get; init; } = 1;

    /// <value>β, how much the clients' inputs differ: the standard deviation of the centres of their inputs. The default is 1. Must be in [0, 1000].</value>
    [Range(0.0, 1000.0)]
    public double Beta { get; init; } = 1;
}

/// <summary>Options of the IID set, see <see cref="Synthetic"/>: one model for all clients, all inputs centred on 0.</summary>
public sealed record SyntheticIidOptions : SyntheticShape;
