using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>Makes a vector of [−1, 1]^d locally private, each coordinate estimated without bias.</summary>
public interface IBoxRandomizer
{
    string Name { get; }

    /// <summary>The exact parameter, at most the one asked for.</summary>
    double Epsilon { get; }

    /// <summary>d.</summary>
    int Dimension { get; }

    /// <summary>Var of one coordinate's report, given its value.</summary>
    double Variance(double value);

    /// <param name="values">d coordinates in [−1, 1].</param>
    /// <param name="report">d coordinates; overwritten.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    void Randomize(ReadOnlySpan<double> values, Span<double> report, IRandomSource random);
}
