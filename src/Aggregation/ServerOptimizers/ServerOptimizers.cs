using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>Names of the server optimizers, as config gives them, and the way from options to an optimizer.</summary>
public static class ServerOptimizers
{
    /// <summary>Adds the pseudo-gradient: FedAvg and FedBuff with learning rate 1, and what asynchronous mixing needs.</summary>
    public const string Sgd = "sgd";

    /// <summary>FedAvgM: smooths over versions; the first to try when rounds are noisy.</summary>
    public const string Momentum = "momentum";

    /// <summary>DiLoCo's outer optimizer: momentum with look-ahead, for few clients with many local steps.</summary>
    public const string Nesterov = "nesterov";

    /// <summary>Nesterov for asynchronous runs, in which plain momentum would be applied once per client instead of once per round.</summary>
    public const string DelayedNesterov = "delayed-nesterov";

    /// <summary>FedAdagrad: for sparse pseudo-gradients (embeddings, bag of words).</summary>
    public const string Adagrad = "adagrad";

    /// <summary>FedYogi: as Adam, with a second moment that moves slowly; the most forgiving of the adaptive ones.</summary>
    public const string Yogi = "yogi";

    /// <summary>FedAdam: for language models and other tasks whose coordinates differ in scale.</summary>
    public const string Adam = "adam";

    /// <summary>Makes the server optimizer that the options describe.</summary>
    /// <param name="options">Kind and settings.</param>
    /// <param name="dimension">d, the number of trainable parameters.</param>
    /// <exception cref="AggregationException">A setting is out of its range.</exception>
    public static IServerOptimizer<T> Create<T>(ServerOptimizerOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            SgdOptions o => new Sgd<T>(o),
            MomentumOptions o => new Momentum<T>(o, dimension),
            NesterovOptions o => new Nesterov<T>(o, dimension),
            DelayedNesterovOptions o => new DelayedNesterov<T>(o, dimension),
            AdagradOptions o => new Adagrad<T>(o, dimension),
            YogiOptions o => new Yogi<T>(o, dimension),
            AdamOptions o => new Adam<T>(o, dimension),
            _ => throw new AggregationException($"No server optimizer for {options?.GetType().Name ?? "null"}."),
        };
}
