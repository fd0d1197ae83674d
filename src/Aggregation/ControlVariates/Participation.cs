namespace Federated.Aggregation.ControlVariates;

internal static class Participation
{
    public static void Check(int length, int parameters, int accepted)
    {
        if (length != parameters)
        {
            throw new ArgumentException($"A mean of {parameters} values is needed; this one has {length}.", nameof(length));
        }

        // No upper bound: a buffered run may combine two updates of one client, and each of them moved that client's state.
        ArgumentOutOfRangeException.ThrowIfLessThan(accepted, 1);
    }
}
