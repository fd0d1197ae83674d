using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Modules;

/// <summary>Predicts the next character from those before it: embedding, LSTM layers, and a linear layer on the last state.</summary>
/// <remarks>
/// The Shakespeare model of McMahan et al., AISTATS 2017, https://arxiv.org/abs/1602.05629, section 3 (embedding 8, two layers of 256), as
/// in LEAF. Names as in PyTorch: <c>embedding.weight</c>, <c>lstm.weight_ih_l0</c>, …, <c>fc.weight</c>.
/// </remarks>
public sealed class CharacterLstm : nn.Module<Tensor, Tensor>
{
    private readonly Embedding embedding;
    private readonly LSTM lstm;
    private readonly Linear fc;

    /// <param name="symbols">Size of the alphabet.</param>
    public CharacterLstm(int symbols, int width, int hidden, int layers)
        : base(nameof(CharacterLstm))
    {
        embedding = nn.Embedding(symbols, width);
        lstm = nn.LSTM(width, hidden, layers, batchFirst: true);
        fc = nn.Linear(hidden, symbols);
        register_module("embedding", embedding);
        register_module("lstm", lstm);
        register_module("fc", fc);
    }

    /// <param name="input">Symbols [n, positions], int64.</param>
    /// <returns>Logits of the next symbol [n, symbols].</returns>
    public override Tensor forward(Tensor input)
    {
        var (states, _, _) = lstm.call(embedding.call(input));
        return fc.call(states.select(1, states.shape[1] - 1));
    }
}
