using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>Causal self-attention and a feed-forward layer, each normalised before and added to what came in; the block of <see cref="CharacterTransformer"/>.</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor>
{
    private readonly int heads;
    private readonly LayerNorm attentionNorm;
    private readonly nn.Module<Tensor, Tensor> query;
    private readonly nn.Module<Tensor, Tensor> key;
    private readonly nn.Module<Tensor, Tensor> value;
    private readonly nn.Module<Tensor, Tensor> mix;
    private readonly LayerNorm feedNorm;
    private readonly nn.Module<Tensor, Tensor> expand;
    private readonly nn.Module<Tensor, Tensor> contract;

    /// <param name="linear">Makes a linear layer of so many inputs and outputs, with or without adapters.</param>
    public TransformerBlock(int width, int heads, Func<int, int, nn.Module<Tensor, Tensor>> linear)
        : base(nameof(TransformerBlock))
    {
        this.heads = heads;
        attentionNorm = nn.LayerNorm(width);
        (query, key, value, mix) = (linear(width, width), linear(width, width), linear(width, width), linear(width, width));
        feedNorm = nn.LayerNorm(width);
        (expand, contract) = (linear(width, 4 * width), linear(4 * width, width));
        register_module("norm1", attentionNorm);
        register_module("query", query);
        register_module("key", key);
        register_module("value", value);
        register_module("mix", mix);
        register_module("norm2", feedNorm);
        register_module("expand", expand);
        register_module("contract", contract);
    }

    public override Tensor forward(Tensor input)
    {
        var (n, positions, width) = (input.shape[0], input.shape[1], input.shape[2]);
        Tensor PerHead(Tensor projected) => projected.view(n, positions, heads, width / heads).transpose(1, 2);

        var normal = attentionNorm.call(input);
        var attended = nn.functional.scaled_dot_product_attention(PerHead(query.call(normal)), PerHead(key.call(normal)), PerHead(value.call(normal)), is_casual: true);
        input = input + mix.call(attended.transpose(1, 2).reshape(n, positions, width));
        return input + contract.call(nn.functional.gelu(expand.call(feedNorm.call(input))));
    }
}
