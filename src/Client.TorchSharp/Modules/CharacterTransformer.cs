using System.Runtime.InteropServices;
using Federated.Aggregation.Randomness;
using Federated.Training;
using Federated.Training.Models;
using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>
/// Predicts the next character from those before it with a small decoder-only transformer; trained whole, or, where the options ask for
/// adapters, with every weight fixed but the adapters of <see cref="LowRankLinear"/>, which alone travel then.
/// </summary>
/// <remarks>
/// Blocks as in Radford et al. 2019 (GPT-2): normalisation first, GELU, learned positions, no dropout. Names: <c>embedding</c>,
/// <c>positions</c>, <c>blocks.0.query</c>, …, <c>norm</c>, <c>fc</c>; the names of the fixed weights are those of the network without
/// adapters, so that its file serves as their base.
/// </remarks>
public sealed class CharacterTransformer : nn.Module<Tensor, Tensor>
{
    private readonly Embedding embedding;
    private readonly Embedding positions;
    private readonly Sequential blocks;
    private readonly LayerNorm norm;
    private readonly Linear fc;
    private readonly int context;

    /// <param name="symbols">Size of the alphabet.</param>
    /// <param name="context">Most characters that a prediction is made from.</param>
    public CharacterTransformer(int symbols, int context, CharacterTransformerOptions options)
        : base(nameof(CharacterTransformer))
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Width % options.Heads != 0)
        {
            throw new TrainingException($"A width of {options.Width} cannot be split over {options.Heads} heads; make the width a multiple of the heads.");
        }

        this.context = context;
        embedding = nn.Embedding(symbols, options.Width);
        positions = nn.Embedding(context, options.Width);
        blocks = nn.Sequential(Enumerable.Range(0, options.Layers).Select(_ => (nn.Module<Tensor, Tensor>)new TransformerBlock(options.Width, options.Heads, Linear)));
        norm = nn.LayerNorm(options.Width);
        fc = nn.Linear(options.Width, symbols);
        register_module("embedding", embedding);
        register_module("positions", positions);
        register_module("blocks", blocks);
        register_module("norm", norm);
        register_module("fc", fc);
        if (options.AdapterRank > 0)
        {
            Fix(options);
        }

        nn.Module<Tensor, Tensor> Linear(int inputs, int outputs) =>
            options.AdapterRank > 0 ? new LowRankLinear(inputs, outputs, options.AdapterRank, options.AdapterScale) : nn.Linear(inputs, outputs);
    }

    /// <param name="input">Symbols [n, positions], int64.</param>
    /// <returns>Logits of the next symbol [n, symbols].</returns>
    public override Tensor forward(Tensor input)
    {
        var length = input.shape[1];
        if (length > context)
        {
            throw new TrainingException($"The transformer sees at most {context} characters; the input has {length}.");
        }

        var states = embedding.call(input) + positions.call(arange(length, dtype: int64, device: input.device));
        states = norm.call(blocks.call(states));
        return fc.call(states.select(1, length - 1));
    }

    /// <summary>Every client must have the same fixed weights without their travelling: from a file, or from a seed.</summary>
    private void Fix(CharacterTransformerOptions options)
    {
        var fixedOnes = named_parameters().Where(p => !p.name.Contains("lora_", StringComparison.Ordinal)).ToList();
        if (options.Base is { } path)
        {
            if (!File.Exists(path))
            {
                throw new TrainingException($"The file of fixed weights, {path}, does not exist. Name the model.safetensors of a run without adapters (model.base), or leave it out for random weights.");
            }

            using var file = File.OpenRead(path);
            ModuleFile.Load(file, fixedOnes.Select(p => (p.name, (Tensor)p.parameter)), ignoreOthers: false);
        }
        else
        {
            // From the project's own generator, so that libtorch's is left to the adapters. Vectors are biases, zero, and norms' weights, one.
            foreach (var (name, parameter) in fixedOnes.Where(p => p.parameter.dim() > 1 || p.name.EndsWith(".bias", StringComparison.Ordinal)))
            {
                var random = SeededRandom.Derive(options.BaseSeed, name);
                var bound = parameter.dim() > 1 ? 1 / Math.Sqrt(parameter.shape[^1]) : 0;
                foreach (ref var value in MemoryMarshal.Cast<byte, float>(parameter.bytes))
                {
                    value = (float)(bound * ((2 * random.NextDouble()) - 1));
                }
            }
        }

        foreach (var (_, parameter) in fixedOnes)
        {
            parameter.requires_grad = false;
        }
    }
}
