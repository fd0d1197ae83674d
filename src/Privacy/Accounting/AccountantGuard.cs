namespace Federated.Privacy.Accounting;

internal static class AccountantGuard
{
    public static void Delta(double delta)
    {
        if (!(delta is >= 0 and < 1))
        {
            throw new PrivacyException($"δ must lie in [0, 1), but is {delta}: choose it well below 1/(number of units).");
        }
    }

    public static void Epsilon(double epsilon)
    {
        if (!(epsilon >= 0 && double.IsFinite(epsilon)))
        {
            throw new PrivacyException($"ε must be finite and zero or more, but is {epsilon}.");
        }
    }
}
