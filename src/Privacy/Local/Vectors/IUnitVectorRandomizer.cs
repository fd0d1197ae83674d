using System.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// Makes a unit vector locally private: whatever two unit vectors a client may hold, no report is e^ε times likelier under one than under
/// the other. The report, decoded, is an unbiased estimate of the vector.
/// </summary>
/// <remarks>Updates shorter than the bound are lifted to the sphere first: see <see cref="LocalUpdateRandomizer{T}"/>.</remarks>
public interface IUnitVectorRandomizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    string Name { get; }

    /// <summary>The parameter of the law, at most the one asked for. In real arithmetic, unless <see cref="IsExact"/>.</summary>
    double Epsilon { get; }

    /// <summary>True when the guarantee holds for the program and not only for its formulas: no real number that depends on the data leaves.</summary>
    bool IsExact { get; }

    /// <summary>d.</summary>
    int Dimension { get; }

    /// <summary>E‖decoded report − vector‖², summed over coordinates.</summary>
    double MeanSquaredError { get; }

    /// <summary>Size of one report on the wire.</summary>
    long ReportBytes { get; }

    /// <summary>The L2 norm that all but 10⁻¹² of honest decoded reports stay within: longer ones are forged.</summary>
    double ReportNormBound { get; }

    /// <summary>Randomises and decodes: what the server adds up.</summary>
    /// <param name="unit">d coordinates of L2 norm 1.</param>
    /// <param name="report">d coordinates; overwritten. May be the same memory as <paramref name="unit"/>.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    void Randomize(ReadOnlySpan<T> unit, Span<T> report, IRandomSource random);
}
