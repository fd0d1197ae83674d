using System.ComponentModel.DataAnnotations;

namespace Federated.Training.Models;

/// <summary>Residual blocks with group normalisation, global average pooling and one linear layer. Only <c>trainer: torch</c> trains it.</summary>
public sealed record ResidualNetworkOptions : ModelOptions
{
    /// <summary>Channels of each stage, first to last; every stage but the first halves height and width.</summary>
    /// <value>The default is [16, 32, 64], as for CIFAR in He et al. Each must be a multiple of <see cref="Groups"/>; at least one.</value>
    [Required]
    [MinLength(1)]
    public IReadOnlyList<int> Channels { get; init; } = [16, 32, 64];

    /// <summary>Residual blocks of two convolutions in each stage.</summary>
    /// <value>The default is 1, which makes a network of eight layers; 3 makes the ResNet-20. Must be in 1..64.</value>
    [Range(1, 64)]
    public int Blocks { get; init; } = 1;

    /// <summary>Groups of channels that are normalised together.</summary>
    /// <value>The default is 8. Must be 1 or more.</value>
    [Range(1, 4096)]
    public int Groups { get; init; } = 8;
}

/// <summary>Embedding, LSTM layers, and a linear layer on the last state. Only <c>trainer: torch</c> trains it.</summary>
public sealed record CharacterLstmOptions : ModelOptions
{
    /// <summary>Values per character after the embedding.</summary>
    /// <value>The default is 8, as in McMahan et al. Must be in 1..4096.</value>
    [Range(1, 4096)]
    public int Embedding { get; init; } = 8;

    /// <summary>Units of each LSTM layer.</summary>
    /// <value>The default is 256. Must be in 1..16384.</value>
    [Range(1, 16384)]
    public int Hidden { get; init; } = 256;

    /// <summary>LSTM layers.</summary>
    /// <value>The default is 2. Must be in 1..16.</value>
    [Range(1, 16)]
    public int Layers { get; init; } = 2;
}

/// <summary>A decoder-only transformer over characters, trained whole or through low-rank adapters alone. Only <c>trainer: torch</c> trains it.</summary>
public sealed record CharacterTransformerOptions : ModelOptions
{
    /// <summary>Values per position.</summary>
    /// <value>The default is 64. Must be a multiple of <see cref="Heads"/>.</value>
    [Range(1, 16384)]
    public int Width { get; init; } = 64;

    /// <summary>Attention heads.</summary>
    /// <value>The default is 4. Must be 1 or more.</value>
    [Range(1, 256)]
    public int Heads { get; init; } = 4;

    /// <summary>Blocks of attention and feed-forward layer.</summary>
    /// <value>The default is 2. Must be in 1..128.</value>
    [Range(1, 128)]
    public int Layers { get; init; } = 2;

    /// <summary>r, the rank of the adapters beside every linear layer of the blocks; the weights themselves are then fixed and do not travel.</summary>
    /// <value>The default is 0: no adapters, all weights are trained. Must be 0 or more.</value>
    [Range(0, 1024)]
    public int AdapterRank { get; init; }

    /// <summary>α, the adapters' scale: they add α/r times their product.</summary>
    /// <value>The default is 16. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double AdapterScale { get; init; } = 16;

    /// <summary>A safetensors file of the fixed weights, from a run that trained all of them; PyTorch's names.</summary>
    /// <value>The default is none: random weights from <see cref="BaseSeed"/>, the same for every client. Only used with adapters.</value>
    public string? Base { get; init; }

    /// <summary>The seed of fixed weights that come from no file.</summary>
    /// <value>The default is 1.</value>
    public ulong BaseSeed { get; init; } = 1;
}
