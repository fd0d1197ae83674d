using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>Nesterov momentum in PyTorch's form: m ← β·m + d; w ← w + η_g·(d + β·m).</summary>
/// <remarks>
/// Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013, Section 2; the
/// outer optimizer of DiLoCo (Douillard et al. 2023, https://arxiv.org/abs/2311.08105). Deviation: PyTorch's reparametrisation, in which
/// the stored model is the look-ahead point. Cost: O(d) per version, d values of state.
/// </remarks>
public sealed class Nesterov<T> : IServerOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Velocity<T> velocity;

    /// <param name="options">Settings.</param>
    /// <param name="dimension">d, the number of parameters.</param>
    public Nesterov(NesterovOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        velocity = new Velocity<T>(Name, options.LearningRate, options.Momentum, dimension);
    }

    public string Name => ServerOptimizers.Nesterov;

    public IReadOnlyDictionary<string, Memory<T>> State => velocity.State;

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient) =>
        Elementwise.Run(new Rule(velocity.Rate, velocity.Beta), model, pseudoGradient, velocity.Values);

    private readonly struct Rule(Vector<T> rate, Vector<T> beta) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            first = (beta * first) + gradient;
            model += rate * (gradient + (beta * first));
        }
    }
}
