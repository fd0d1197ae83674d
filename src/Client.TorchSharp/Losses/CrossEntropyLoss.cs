using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Losses;

/// <summary>Softmax cross-entropy, with accuracy as the score: classification, and language models over all positions.</summary>
/// <remarks>Outputs are logits [n, classes] with targets [n], or [n, positions, classes] with [n, positions], in which case every position counts.</remarks>
public sealed class CrossEntropyLoss : ITorchLoss
{
    public Tensor Mean(Tensor output, Tensor target) => nn.functional.cross_entropy(Flat(output), target.reshape(-1));

    public Evaluation Score(Tensor output, Tensor target)
    {
        var (logits, labels) = (Flat(output), target.reshape(-1));
        var loss = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum).ToDouble();
        var correct = logits.argmax(-1).eq(labels).sum().ToInt64();
        return new Evaluation(checked((int)labels.numel()), checked((int)correct), loss);
    }

    private static Tensor Flat(Tensor output) => output.dim() > 2 ? output.reshape(-1, output.shape[^1]) : output;
}
