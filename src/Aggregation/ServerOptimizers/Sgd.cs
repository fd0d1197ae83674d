using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>w ← w + η_g·d: FedAvg's server with η_g = 1, FedBuff's with its server rate.</summary>
/// <remarks>
/// Reddi et al., "Adaptive Federated Optimization", ICLR 2021, Algorithm 1 with SGD as the server optimizer,
/// https://arxiv.org/abs/2003.00295. Deviation: none. Cost: O(d) per version, no state.
/// </remarks>
public sealed class Sgd<T> : IServerOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T rate;

    public Sgd(SgdOptions? options = null)
    {
        options ??= new SgdOptions();
        OptimizerState.RequireRate(Name, options.LearningRate);
        rate = T.CreateTruncating(options.LearningRate);
    }

    public string Name => ServerOptimizers.Sgd;

    public IReadOnlyDictionary<string, Memory<T>> State => ImmutableSortedDictionary<string, Memory<T>>.Empty;

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient)
    {
        Elementwise.RequireSameLength(model, pseudoGradient, model.Length);
        TensorPrimitives.MultiplyAdd(pseudoGradient, rate, model, model);
    }
}
