namespace Federated.Aggregation;

/// <summary>Checks that every aggregator makes.</summary>
internal static class Guards
{
    public static void RequireWeight(double weight)
    {
        if (!(weight >= 0 && double.IsFinite(weight)))
        {
            throw new ArgumentOutOfRangeException(nameof(weight), weight, "A weight must be 0 or more and finite.");
        }
    }

    public static void RequireUpdates(int count)
    {
        if (count == 0)
        {
            throw new AggregationException("There is nothing to combine: at least one update must be added first.");
        }
    }

    public static void RequireWeightSum(double sum, int count)
    {
        if (!(sum > 0))
        {
            throw new AggregationException($"The weights of the {count} updates sum to 0, so they have no mean; at least one must be positive.");
        }
    }

    public static void RequireSteps(double steps, string aggregator, int client)
    {
        if (!(steps > 0 && double.IsFinite(steps)))
        {
            throw new AggregationException(
                $"{aggregator} divides each update by its local steps, but client {client} reported {steps}; clients must report LocalSteps (or StepWeight) above 0.");
        }
    }
}
