using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>Closed forms of the shuffle bounds, each refused outside the range in which it is proven.</summary>
internal static class ShuffleClosedForms
{
    /// <summary>Feldman, McMillan, Talwar, FOCS 2021, theorem 3.1.</summary>
    public static double Clones2021(double epsilon0, long reports, double delta)
    {
        Require(epsilon0, Math.Log(reports / (16 * Math.Log(2 / delta))), reports, delta, "fmt21-closed", "ln(n/(16 ln(2/δ)))");
        var e = Math.Exp(epsilon0);
        return LogSpace.Log1P(Math.Tanh(0.5 * epsilon0) * (8 * Math.Sqrt(e * Math.Log(4 / delta) / reports) + 8 * e / reports));
    }

    /// <summary>Feldman, McMillan, Talwar, SODA 2023, theorem 3.2.</summary>
    public static double Clones2023(double epsilon0, long reports, double delta)
    {
        Require(epsilon0, Math.Log(reports / (8 * Math.Log(2 / delta)) - 1), reports, delta, "fmt23-closed", "ln(n/(8 ln(2/δ)) − 1)");
        var e = Math.Exp(epsilon0);
        return LogSpace.Log1P(LogSpace.ExpM1(epsilon0) * (4 * Math.Sqrt(2 * Math.Log(4 / delta) / ((e + 1) * reports)) + 4.0 / reports));
    }

    /// <summary>Erlingsson, Feldman, Mironov, Raghunathan, Talwar, Thakurta, SODA 2019, theorem 7; its ε₀ &lt; ½ extends to ½ by continuity.</summary>
    public static double Efmrtt(double epsilon0, long reports, double delta)
    {
        if (!(epsilon0 <= 0.5 && reports >= 1000 && delta < 0.01))
        {
            throw new PrivacyException(
                $"The bound efmrtt is proven for ε₀ ≤ 0.5, n ≥ 1000 and δ < 0.01, but ε₀ = {epsilon0}, n = {reports}, δ = {delta}: use fmt23.");
        }

        return 12 * epsilon0 * Math.Sqrt(Math.Log(1 / delta) / reports);
    }

    private static void Require(double epsilon0, double largest, long reports, double delta, string name, string range)
    {
        if (!(epsilon0 <= largest))
        {
            throw new PrivacyException(
                $"The bound {name} is proven for ε₀ ≤ {range}, which is {largest:G4} at n = {reports} and δ = {delta}, but ε₀ = {epsilon0}: "
                + "use fmt23, which holds everywhere, a larger batch, or a smaller ε₀.");
        }
    }
}
