namespace Federated.Privacy.Accounting;

/// <summary>Checks of event parameters; the message says what was needed and what was there.</summary>
internal static class EventGuard
{
    public static double Positive(double value, string what) =>
        value > 0 && double.IsFinite(value) ? value : throw new PrivacyException($"{what} must be positive and finite, but is {value}.");

    public static long Positive(long value, string what) =>
        value > 0 ? value : throw new PrivacyException($"{what} must be at least 1, but is {value}.");

    public static double Probability(double value, string what) =>
        value is >= 0 and <= 1 ? value : throw new PrivacyException($"{what} must lie in [0, 1], but is {value}.");

    public static NeighbourRelation ReplaceOne(NeighbourRelation relation, string what) =>
        relation.Adjacency == Adjacency.ReplaceOne
            ? relation
            : throw new PrivacyException(
                $"{what} compares two values of the same report and is a replace-one guarantee, but {relation} was asked for: use replace-one.");
}
