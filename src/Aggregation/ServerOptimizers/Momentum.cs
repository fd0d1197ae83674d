using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>Server momentum (FedAvgM): m ← β·m + d; w ← w + η_g·m.</summary>
/// <remarks>
/// Hsu, Qi, Brown, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification", 2019, Section 4.3,
/// https://arxiv.org/abs/1909.06335. Deviation: none. Cost: O(d) per version, d values of state.
/// </remarks>
public sealed class Momentum<T> : IServerOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Rule rule;
    private readonly T[] momentum;

    /// <param name="options">Settings.</param>
    /// <param name="dimension">d, the number of parameters.</param>
    public Momentum(MomentumOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptimizerState.RequireRate(Name, options.LearningRate);
        OptimizerState.RequireShare(Name, "a momentum", options.Momentum);
        rule = new Rule(new Vector<T>(T.CreateTruncating(options.LearningRate)), new Vector<T>(T.CreateTruncating(options.Momentum)));
        momentum = OptimizerState.Filled<T>(dimension, 0);
        State = OptimizerState.Of((OptimizerState.Momentum, momentum));
    }

    public string Name => ServerOptimizers.Momentum;

    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient) => Elementwise.Run(rule, model, pseudoGradient, momentum);

    private readonly struct Rule(Vector<T> rate, Vector<T> beta) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            first = (beta * first) + gradient;
            model += rate * first;
        }
    }
}
