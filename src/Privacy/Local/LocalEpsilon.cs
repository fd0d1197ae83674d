namespace Federated.Privacy.Local;

/// <summary>What every local randomiser asks of its ε.</summary>
internal static class LocalEpsilon
{
    public const double Smallest = 1e-3;

    public const double Largest = 40;

    public static void Check(double epsilon)
    {
        if (!(epsilon >= Smallest && epsilon <= Largest))
        {
            throw new PrivacyException(
                $"A local randomiser's epsilon must be between {Smallest} and {Largest}; it is {epsilon}. Above, coins of 64 bits would be deterministic.");
        }
    }
}
