using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>Normalisation layers with PyTorch's initial values.</summary>
internal static class Norms
{
    /// <remarks>TorchSharp 0.107.0 leaves the weights of a new GroupNorm as the memory was; PyTorch sets them to one and zero.</remarks>
    public static GroupNorm Group(int groups, int channels)
    {
        var norm = nn.GroupNorm(groups, channels);
        using var quiet = no_grad();
        norm.weight.fill_(1);
        norm.bias!.zero_();
        return norm;
    }
}
