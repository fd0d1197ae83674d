using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>
/// The built-in models as torch modules, with the managed models' names, shapes and order: softmax regression (<c>fc</c>), perceptrons
/// (<c>fc1</c>, <c>fc2</c>, …) and the convolutional network (<c>conv1</c>, …, <c>fc1</c>, …), so that parameters pass between the two
/// trainers as they are.
/// </summary>
public sealed class LayerStack : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d[] convolutions;
    private readonly Linear[] dense;

    /// <param name="inputs">Channels of an example with convolutions, features without.</param>
    /// <param name="channels">Output channels of each convolution: k×k with "same" padding, ReLU, 2×2 maximum.</param>
    /// <param name="kernel">k, odd.</param>
    /// <param name="flat">Values that enter the first dense layer.</param>
    /// <param name="widths">Width of each dense layer, the classes last; ReLU between them.</param>
    public LayerStack(int inputs, IReadOnlyList<int> channels, int kernel, int flat, IReadOnlyList<int> widths)
        : base(nameof(LayerStack))
    {
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentNullException.ThrowIfNull(widths);
        convolutions = new Conv2d[channels.Count];
        for (var i = 0; i < convolutions.Length; i++)
        {
            convolutions[i] = nn.Conv2d(i == 0 ? inputs : channels[i - 1], channels[i], kernel, padding: kernel / 2);
            register_module($"conv{i + 1}", convolutions[i]);
        }

        dense = new Linear[widths.Count];
        for (var i = 0; i < dense.Length; i++)
        {
            dense[i] = nn.Linear(i == 0 ? flat : widths[i - 1], widths[i]);
            register_module(dense.Length == 1 && channels.Count == 0 ? "fc" : $"fc{i + 1}", dense[i]);
        }
    }

    public override Tensor forward(Tensor input)
    {
        foreach (var convolution in convolutions)
        {
            input = nn.functional.max_pool2d(nn.functional.relu(convolution.call(input)), 2);
        }

        input = input.flatten(1);
        for (var i = 0; i < dense.Length; i++)
        {
            input = dense[i].call(input);
            input = i == dense.Length - 1 ? input : nn.functional.relu(input);
        }

        return input;
    }
}
