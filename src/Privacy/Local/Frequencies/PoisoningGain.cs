namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// How much fake clients can raise the estimates of chosen items: Σ over r targets of (estimate after − before), in expectation. A smaller ε
/// protects clients better and lets fakes gain more; a run that uses an oracle should show both.
/// </summary>
/// <remarks>
/// Cao, Jia, Gong, "Data Poisoning Attacks to Local Differential Privacy Protocols", USENIX Security 2021, Table 1,
/// https://arxiv.org/abs/1911.02046. β = m/(n + m) the share of fakes, f_T the targets' true total frequency.
/// </remarks>
public static class PoisoningGain
{
    /// <summary>Fakes send uniform elements of the report space.</summary>
    public static double RandomReport(string oracle, double share, int targets, int items, double targetFrequency) => oracle switch
    {
        FrequencyOracles.RandomizedResponse => share * (((double)targets / items) - targetFrequency),
        FrequencyOracles.OptimizedUnary => share * (targets - targetFrequency),
        FrequencyOracles.LocalHashing => -share * targetFrequency,
        _ => throw Unknown(oracle),
    };

    /// <summary>Fakes claim a random target and randomise it honestly: the same for every unbiased oracle.</summary>
    public static double RandomItem(double share, double targetFrequency) => share * (1 - targetFrequency);

    /// <summary>Fakes craft the report that supports the most targets.</summary>
    public static double Maximal(string oracle, double share, int targets, int items, double epsilon, double targetFrequency)
    {
        var lean = Math.Exp(epsilon) - 1;
        return oracle switch
        {
            FrequencyOracles.RandomizedResponse => (share * (1 - targetFrequency)) + (share * (items - targets) / lean),
            FrequencyOracles.OptimizedUnary or FrequencyOracles.LocalHashing =>
                (share * ((2 * targets) - targetFrequency)) + (2 * share * targets / lean),
            _ => throw Unknown(oracle),
        };
    }

    private static PrivacyException Unknown(string oracle) => new(
        $"Gains are known for {FrequencyOracles.RandomizedResponse}, {FrequencyOracles.OptimizedUnary} and {FrequencyOracles.LocalHashing}, not for '{oracle}'.");
}
