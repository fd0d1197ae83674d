using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Scalars;

/// <summary>
/// One bit: +B or −B with B = (e^ε + 1)/(e^ε − 1), the mean being the value. Exactly ε-locally private: the value is rounded at random to ±1
/// (any rounding would do), and that bit goes through randomised response.
/// </summary>
/// <remarks>
/// Duchi, Jordan, Wainwright, "Minimax Optimal Procedures for Locally Private Estimation", JASA 2018, §3, https://arxiv.org/abs/1604.02390.
/// Deviation: none in law: Pr[+B] = ½ + t(e^ε − 1)/(2(e^ε + 1)). Var = B² − t². Cost: O(1).
/// </remarks>
public sealed class DuchiRandomizer(double epsilon) : IScalarRandomizer
{
    private readonly BinaryResponse response = new(epsilon);

    public string Name => ScalarRandomizers.Duchi;

    public double Epsilon => response.Epsilon;

    public double OutputBound => 1 / response.Contrast;

    public double Variance(double value) => (OutputBound * OutputBound) - (value * value);

    public double Randomize(double value, IRandomSource random)
    {
        ScalarRandomizers.CheckValue(value);
        var sign = random.NextDouble() < (1 + value) / 2;
        return response.Randomize(sign, random) ? OutputBound : -OutputBound;
    }
}
