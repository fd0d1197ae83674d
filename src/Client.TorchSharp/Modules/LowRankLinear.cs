using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>A linear layer whose weights are fixed, beside a trained product of two thin matrices: y = W·x + b + (α/r)·B·A·x.</summary>
/// <remarks>
/// Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen, "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022,
/// https://arxiv.org/abs/2106.09685, section 4.1; names as in its authors' loralib: <c>weight</c>, <c>bias</c>, <c>lora_A</c> [r, in],
/// <c>lora_B</c> [out, r]. B starts at zero, so that training starts from W. Cost: r·(in + out) values that are trained and travel.
/// </remarks>
public sealed class LowRankLinear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly Parameter down;
    private readonly Parameter up;
    private readonly double factor;

    /// <param name="rank">r.</param>
    /// <param name="scale">α.</param>
    public LowRankLinear(int inputs, int outputs, int rank, double scale)
        : base(nameof(LowRankLinear))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        factor = scale / rank;
        weight = nn.Parameter(zeros(outputs, inputs), requires_grad: false);
        bias = nn.Parameter(zeros(outputs), requires_grad: false);
        down = nn.Parameter(empty(rank, inputs).uniform_(-1 / Math.Sqrt(inputs), 1 / Math.Sqrt(inputs)));
        up = nn.Parameter(zeros(outputs, rank));
        register_parameter("weight", weight);
        register_parameter("bias", bias);
        register_parameter("lora_A", down);
        register_parameter("lora_B", up);
    }

    public override Tensor forward(Tensor input)
    {
        var parameters = named_parameters(false).ToDictionary(p => p.name, p => p.parameter); // A change of device or format replaces them.
        var low = nn.functional.linear(nn.functional.linear(input, parameters["lora_A"]), parameters["lora_B"]);
        return nn.functional.linear(input, parameters["weight"], parameters["bias"]) + (low * factor);
    }
}
