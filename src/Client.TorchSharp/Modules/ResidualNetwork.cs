using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>Residual network for small images, with group normalisation, so that no example's gradient depends on another's.</summary>
/// <remarks>
/// He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385, section 4.2 (a 3×3
/// stem, stages of two-convolution blocks, global average pooling, one linear layer). Deviations: group normalisation in place of batch
/// normalisation, as Hsieh et al., "The Non-IID Data Quagmire of Decentralized Machine Learning", ICML 2020, found necessary for unlike
/// clients; 1×1 convolutions where the shape changes. Names follow torchvision with <c>norm</c> for <c>bn</c>: <c>conv1</c>,
/// <c>norm1</c>, <c>layer1.0.conv1</c>, …, <c>layer2.0.downsample.0</c>, <c>fc</c>.
/// </remarks>
public sealed class ResidualNetwork : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d stem;
    private readonly GroupNorm norm;
    private readonly Sequential[] stages;
    private readonly Linear fc;

    /// <param name="inputs">Channels of an example.</param>
    /// <param name="channels">Channels of each stage; multiples of <paramref name="groups"/>.</param>
    /// <param name="blocks">Blocks in each stage.</param>
    public ResidualNetwork(int inputs, IReadOnlyList<int> channels, int blocks, int groups, int classes)
        : base(nameof(ResidualNetwork))
    {
        ArgumentNullException.ThrowIfNull(channels);
        stem = nn.Conv2d(inputs, channels[0], 3, padding: 1, bias: false);
        register_module("conv1", stem);
        norm = Norms.Group(groups, channels[0]);
        register_module("norm1", norm);
        stages = new Sequential[channels.Count];
        for (var stage = 0; stage < stages.Length; stage++)
        {
            var entering = stage == 0 ? channels[0] : channels[stage - 1];
            stages[stage] = nn.Sequential(Enumerable.Range(0, blocks).Select(block =>
                (nn.Module<Tensor, Tensor>)new ResidualBlock(block == 0 ? entering : channels[stage], channels[stage], block == 0 && stage > 0 ? 2 : 1, groups)));
            register_module($"layer{stage + 1}", stages[stage]);
        }

        fc = nn.Linear(channels[^1], classes);
        register_module("fc", fc);
    }

    public override Tensor forward(Tensor input)
    {
        input = nn.functional.relu(norm.call(stem.call(input)));
        foreach (var stage in stages)
        {
            input = stage.call(input);
        }

        return fc.call(input.mean([2, 3]));
    }
}
