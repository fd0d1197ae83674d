using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local;

/// <summary>
/// Warner's randomised response on one bit: the truth, or its opposite with probability 1/(e^ε + 1). Its coin is an integer below 2⁶⁴,
/// rounded towards more noise: the parameter declared is what the integers give, and never above the one asked for.
/// </summary>
/// <remarks>Warner, "Randomized Response", JASA 1965.</remarks>
public sealed class BinaryResponse
{
    private readonly ulong flip;

    /// <param name="epsilon">ε, more than 0.</param>
    public BinaryResponse(double epsilon)
    {
        LocalEpsilon.Check(epsilon);
        flip = CoinThreshold.AtLeast(Math.Exp(-epsilon) / (1 + Math.Exp(-epsilon)));
        Epsilon = Math.Min(epsilon, CoinThreshold.LogOddsAgainst(flip));
        Contrast = Math.Tanh(CoinThreshold.LogOddsAgainst(flip) / 2);
    }

    /// <summary>The exact parameter, at most the one asked for.</summary>
    public double Epsilon { get; }

    /// <summary>Pr[lie].</summary>
    public double FlipProbability => CoinThreshold.Probability(flip);

    /// <summary>Pr[truth] − Pr[lie] = (e^ε − 1)/(e^ε + 1): a ±1 report divided by it is unbiased.</summary>
    public double Contrast { get; }

    /// <summary>The bit or its opposite.</summary>
    public bool Randomize(bool bit, IRandomSource random) => bit ^ ExactBernoulli.Threshold(random, flip);
}
