using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Scalars;

/// <summary>
/// Makes one number in [−1, 1] locally private: whatever two values a client may hold, no report is e^ε times likelier under one than
/// under the other. The report is an unbiased estimate of the value.
/// </summary>
/// <remarks>Average reports before anything else: clamping one to [−1, 1] first would bias the mean.</remarks>
public interface IScalarRandomizer
{
    string Name { get; }

    /// <summary>The exact parameter that the integers of the implementation give, at most the one asked for.</summary>
    double Epsilon { get; }

    /// <summary>The largest |report|; reports beyond it are forged.</summary>
    double OutputBound { get; }

    /// <summary>Var[report | value].</summary>
    double Variance(double value);

    /// <summary>A report whose mean is <paramref name="value"/>.</summary>
    /// <param name="value">In [−1, 1]; the caller has scaled and clamped it.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    double Randomize(double value, IRandomSource random);
}
