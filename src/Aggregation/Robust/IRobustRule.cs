using System.Numerics;

namespace Federated.Aggregation.Robust;

/// <summary>
/// Combines n held updates into one so that a bounded number of arbitrary (Byzantine) ones cannot move the result at will.
/// </summary>
/// <remarks>
/// What counts against the bound is updates, not clients: where one client may contribute twice to an aggregate, so may an attacker.
/// A rule gives the same bits for the same updates in the same order, on any number of threads; <see cref="RobustAggregator{T}"/> fixes
/// the order. Inputs are finite and −0 counts as +0. Supported T: float and double.
/// </remarks>
public interface IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The rule's name in <see cref="RobustRules"/>.</summary>
    string Name { get; }

    /// <summary>Fewest updates the rule can combine under its options; fewer are refused.</summary>
    int MinimumCount { get; }

    /// <summary>True when each coordinate of the result depends on that coordinate of the updates only.</summary>
    bool IsCoordinateWise => false;

    /// <summary>What the rule carries from one combination to the next, by name, d long each: what a checkpoint must hold.</summary>
    IReadOnlyDictionary<string, Memory<T>> State => System.Collections.Immutable.ImmutableDictionary<string, Memory<T>>.Empty;

    /// <summary>How many of <paramref name="count"/> updates may be arbitrary while the result stays bounded by the others.</summary>
    int Tolerates(int count);

    /// <summary>Combines the updates.</summary>
    /// <param name="updates">n vectors of d coordinates in canonical order (ascending client id, then sequence).</param>
    /// <param name="result">d coordinates; overwritten; must not overlap an update.</param>
    /// <exception cref="AggregationException">Fewer updates than <see cref="MinimumCount"/>.</exception>
    RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result);
}

/// <summary>What a rule did with the updates that it was given.</summary>
/// <param name="Used">Updates that have a share in the result.</param>
/// <param name="WeightSum">Sum of the normalised weights that multiplied them: 1 for averages and medians, less where vectors were shortened.</param>
public readonly record struct RobustOutcome(int Used, double WeightSum = 1.0)
{
    private readonly IReadOnlyList<(int Index, string Reason)>? leftOut;

    /// <summary>Updates without a share in the result, by index in the held order, ascending.</summary>
    public IReadOnlyList<(int Index, string Reason)> LeftOut
    {
        get => leftOut ?? [];
        init => leftOut = value;
    }
}
