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
    private readonly Velocity<T> velocity;

    /// <param name="options">Settings.</param>
    /// <param name="dimension">d, the number of parameters.</param>
    public Momentum(MomentumOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        velocity = new Velocity<T>(Name, options.LearningRate, options.Momentum, dimension);
    }

    public string Name => ServerOptimizers.Momentum;

    public IReadOnlyDictionary<string, Memory<T>> State => velocity.State;

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient) =>
        Elementwise.Run(new Rule(velocity.Rate, velocity.Beta), model, pseudoGradient, velocity.Values);

    private readonly struct Rule(Vector<T> rate, Vector<T> beta) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            first = (beta * first) + gradient;
            model += rate * first;
        }
    }
}
