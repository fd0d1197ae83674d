using System.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Factorizations;

/// <summary>
/// A factorisation A = B·C of the prefix-sum matrix A (n × n lower-triangular ones). Releasing A·x + σ·sens(C)·B·z, z standard normal, is
/// post-processing of one Gaussian mechanism of multiplier σ on C·x, for adaptively chosen x too: a whole run of n steps costs one release.
/// </summary>
/// <remarks>
/// Denisov, McMahan, Rush, Smith, Thakurta, "Improved Differential Privacy for SGD via Optimal Private Linear Operators on Adaptive
/// Streams", NeurIPS 2022, Theorem 2.1, https://arxiv.org/abs/2202.08312.
/// </remarks>
public interface IFactorization
{
    string Name { get; }

    /// <summary>n: steps that one draw of this mechanism covers. A longer run needs a restart, charged as a further release.</summary>
    int Steps { get; }

    /// <summary>sens(C): the largest ‖C·(x − x′)‖ when one client's unit-norm contributions become zero, over all admissible patterns.</summary>
    double Sensitivity(Participation participation);

    /// <summary>Σ_s B_ts² for t = 0 … n−1: the variance of prefix sum t at unit noise.</summary>
    double[] ErrorVariances();

    /// <summary>A stream of noise increments for d-dimensional steps, at unit scale: multiply by σ·sens(C)·(clipping bound).</summary>
    CorrelatedNoise<T> Start<T>(int dimension, IRandomSource random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}
