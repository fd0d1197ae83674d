using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>Two 3×3 convolutions beside a short cut, each group-normalised; the basic block of <see cref="ResidualNetwork"/>.</summary>
internal sealed class ResidualBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d first;
    private readonly GroupNorm firstNorm;
    private readonly Conv2d second;
    private readonly GroupNorm secondNorm;
    private readonly Sequential? shortCut;

    public ResidualBlock(int inputs, int outputs, int stride, int groups)
        : base(nameof(ResidualBlock))
    {
        first = nn.Conv2d(inputs, outputs, 3, stride: stride, padding: 1, bias: false);
        firstNorm = Norms.Group(groups, outputs);
        second = nn.Conv2d(outputs, outputs, 3, padding: 1, bias: false);
        secondNorm = Norms.Group(groups, outputs);
        register_module("conv1", first);
        register_module("norm1", firstNorm);
        register_module("conv2", second);
        register_module("norm2", secondNorm);
        if (stride != 1 || inputs != outputs)
        {
            shortCut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride: stride, bias: false), Norms.Group(groups, outputs));
            register_module("downsample", shortCut);
        }
    }

    public override Tensor forward(Tensor input)
    {
        var inner = nn.functional.relu(firstNorm.call(first.call(input)));
        inner = secondNorm.call(second.call(inner));
        return nn.functional.relu(inner + (shortCut is null ? input : shortCut.call(input)));
    }
}
