namespace Federated.Privacy.Amplification;

/// <summary>The bounds of privacy amplification by shuffling, with one line each on when to choose it.</summary>
public enum ShuffleBound
{
    /// <summary>Feldman, McMillan, Talwar 2023, evaluated exactly, for the randomiser at hand. The default: tightest, valid everywhere.</summary>
    Fmt23,

    /// <summary>Feldman, McMillan, Talwar 2021, evaluated exactly. For comparison with earlier work.</summary>
    Fmt21,

    /// <summary>Closed form of 2023: for back-of-the-envelope planning; three to five times looser; needs ε₀ ≤ ln(n/(8 ln(2/δ)) − 1).</summary>
    Fmt23Closed,

    /// <summary>Closed form of 2021, theorem 3.1; needs ε₀ ≤ ln(n/(16 ln(2/δ))).</summary>
    Fmt21Closed,

    /// <summary>Privacy blanket (Balle, Bell, Gascón, Nissim 2019) by Hoeffding's inequality: useful where the blanket is explicit.</summary>
    BlanketHoeffding,

    /// <summary>Privacy blanket by Bennett's inequality: better than Hoeffding's for larger ε₀.</summary>
    BlanketBennett,

    /// <summary>Erlingsson et al. 2019, historical; needs ε₀ ≤ ½, n ≥ 1000, δ &lt; 0.01.</summary>
    Efmrtt,
}
