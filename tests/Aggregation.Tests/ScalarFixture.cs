namespace Federated.Aggregation.Tests;

/// <summary>
/// The two-client problem of algorithms.md §H1: F_i(w) = a_i/2·(w − b_i)², a = (1, 3), b = (4, −2), n = (10, 30), w⁰ = 1, η = 0.1, full
/// gradients. Weighted optimum −1.4, uniform optimum −0.5.
/// </summary>
internal static class ScalarFixture
{
    public const double Rate = 0.1;
    public const double Start = 1;
    public const double Tolerance = 1e-9;

    public static readonly double[] A = [1, 3];
    public static readonly double[] B = [4, -2];
    public static readonly double[] Examples = [10, 30];

    /// <summary>y − w after some gradient steps of client <paramref name="client"/> from <paramref name="model"/>.</summary>
    public static double Delta(int client, double model, int steps = 3, double rate = Rate)
    {
        var y = model;
        for (var k = 0; k < steps; k++)
        {
            y -= rate * A[client] * (y - B[client]);
        }

        return y - model;
    }

    public static Contribution<double> Contribution(int client, double[] delta, double weight, int steps = 3, long sequence = 0) =>
        new(client, delta, weight) { Sequence = sequence, Examples = Examples[client], LocalSteps = steps };

    public static void Near(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= Tolerance, $"expected {expected:R}, was {actual:R}");
}
