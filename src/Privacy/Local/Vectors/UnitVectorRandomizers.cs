using System.Numerics;

namespace Federated.Privacy.Local.Vectors;

/// <summary>Names of the unit-vector randomisers, as they stand in a configuration.</summary>
public static class UnitVectorRandomizers
{
    /// <summary>Gaussian vector with its component along the input shifted: near-optimal at every ε and fast. The default.</summary>
    public const string PrivUnitG = "privunitg";

    /// <summary>Spherical cap: optimal, a little slower. Choose it below some hundred dimensions.</summary>
    public const string PrivUnit = "privunit";

    /// <summary>A public random direction and one randomised bit: exact by construction, 33 bytes a report. Choose it where proof counts.</summary>
    public const string HalfSpace = "halfspace";

    /// <summary>PrivUnitG after a random projection to some hundred coordinates. Choose it where upload is what costs.</summary>
    public const string ProjUnit = "projunit";

    public static IReadOnlyList<string> All { get; } = [PrivUnitG, PrivUnit, HalfSpace, ProjUnit];

    public static IUnitVectorRandomizer<T> Create<T>(string name, double epsilon, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => name switch
        {
            PrivUnitG => new PrivUnitG<T>(epsilon, dimension),
            PrivUnit => new PrivUnit<T>(epsilon, dimension),
            HalfSpace => new HalfSpaceRandomizer<T>(epsilon, dimension),
            ProjUnit => new ProjUnit<T>(epsilon, dimension, ProjUnit<T>.DefaultProjection),
            _ => throw new PrivacyException($"No unit-vector randomiser '{name}'; there are {string.Join(", ", All)}."),
        };

    internal static void CheckDimension(int dimension)
    {
        if (dimension < 2)
        {
            throw new PrivacyException($"A unit vector needs at least 2 coordinates; it has {dimension}. Use a scalar randomiser for one.");
        }
    }

    /// <summary>‖u‖², which must be 1 to a thousandth: the guarantee speaks of unit vectors.</summary>
    internal static double CheckUnit<T>(ReadOnlySpan<T> unit, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (unit.Length != dimension)
        {
            throw new PrivacyException($"The randomiser is for {dimension} coordinates; the vector has {unit.Length}.");
        }

        var norm = Clipping.L2Clip.Norm(unit);
        return Math.Abs(norm - 1) <= 1e-3
            ? norm * norm
            : throw new PrivacyException($"The vector must have L2 norm 1; it has {norm}. Clip and lift it (LocalUpdateRandomizer).");
    }
}
