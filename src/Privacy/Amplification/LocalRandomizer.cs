namespace Federated.Privacy.Amplification;

/// <summary>What an amplification bound needs to know of the randomiser that each client applies to its own report.</summary>
/// <remarks>
/// Only pure ε₀-LDP randomisers: with a δ₀ per report the bounds gain terms that are not claimed here. The total variation between the
/// outputs of two inputs is what separates one randomiser from another of the same ε₀ (Wang, Peng, Li et al., "Privacy Amplification via
/// Shuffling: Unified, Simplified, and Tightened", VLDB 2024, the "variation-ratio" parameters p = q = e^ε₀ and β).
/// </remarks>
public sealed record LocalRandomizer
{
    private LocalRandomizer(string name, double epsilon, double totalVariation, double blanket, int categories)
    {
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
        {
            throw new PrivacyException($"A local randomiser needs a positive, finite ε₀, but got {epsilon}.");
        }

        (Name, Epsilon, TotalVariation, Blanket, Categories) = (name, epsilon, totalVariation, blanket, categories);
    }

    /// <value>What the randomiser is called in assumptions.</value>
    public string Name { get; }

    /// <value>ε₀ of one report, δ₀ = 0.</value>
    public double Epsilon { get; }

    /// <value>β: largest total variation distance between the outputs of two inputs.</value>
    public double TotalVariation { get; }

    /// <value>γ: smallest probability with which a report is drawn from a distribution that does not depend on its input.</value>
    public double Blanket { get; }

    /// <value>k of randomised response; 0 for other randomisers.</value>
    internal int Categories { get; }

    /// <summary>Any ε₀-LDP randomiser: β = (e^ε₀ − 1)/(e^ε₀ + 1), γ = e^−ε₀.</summary>
    public static LocalRandomizer Generic(double epsilon) => new("any ε₀-LDP randomiser", epsilon, Math.Tanh(0.5 * epsilon), Math.Exp(-epsilon), 0);

    /// <summary>k-ary randomised response: β = (e^ε₀ − 1)/(e^ε₀ + k − 1), γ = k/(e^ε₀ + k − 1).</summary>
    public static LocalRandomizer RandomizedResponse(double epsilon, int categories)
    {
        if (categories < 2)
        {
            throw new PrivacyException($"Randomised response needs at least 2 categories, but got {categories}.");
        }

        var total = Math.Exp(epsilon) + categories - 1;
        return new($"{categories}-ary randomised response", epsilon, Numerics.LogSpace.ExpM1(epsilon) / total, categories / total, categories);
    }

    /// <summary>Laplace noise of scale 1/ε₀ on a scalar in [0, 1]: β = 1 − e^(−ε₀/2), γ = e^(−ε₀/2).</summary>
    public static LocalRandomizer Laplace(double epsilon) =>
        new("Laplace noise on [0, 1]", epsilon, -Numerics.LogSpace.ExpM1(-0.5 * epsilon), Math.Exp(-0.5 * epsilon), 0);
}
