using System.Numerics;

namespace Federated.Aggregation.Averaging;

/// <summary>Turns what a block reports into words: which coordinate, which value, what to do.</summary>
internal static class SumFailure
{
    public static void Require<T>(BlockOutcome outcome, ReadOnlySpan<T> values, double weight, int block)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (outcome == BlockOutcome.Done)
        {
            return;
        }

        var start = (long)block * BinnedBlock.Coordinates;
        var at = Finite.FirstNonFinite(values);
        throw new AggregationException(outcome switch
        {
            BlockOutcome.NotFinite => $"Coordinate {start + at} of an update is {values[at]}; reject updates that are not finite before aggregating them.",
            BlockOutcome.OutOfRange =>
                $"An update times its weight {weight} exceeds 2^1011 within coordinates {start} to {start + values.Length - 1}; reject it, or bound norms before aggregating.",
            _ => $"A sum takes at most {Bins.MaxTerms - 1} updates; combine them before adding more.",
        });
    }

    public static void RequireFits<T>(bool fits, ReadOnlySpan<T> totals, int block)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (!fits)
        {
            var at = Finite.FirstNonFinite(totals);
            throw new AggregationException(
                $"The combined update at coordinate {((long)block * BinnedBlock.Coordinates) + at} is beyond {typeof(T).Name}'s range; the updates have diverged: bound their norms.");
        }
    }
}
