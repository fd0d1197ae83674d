namespace Federated.Privacy.Tests;

/// <summary>Assertions with a stated tolerance, whose failure prints all digits.</summary>
internal static class Near
{
    public static void Relative(double expected, double actual, double tolerance, string what = "value")
    {
        if (expected.Equals(actual))
        {
            return;
        }

        var error = Math.Abs(actual - expected) / Math.Abs(expected);
        Assert.True(error <= tolerance, $"{what}: expected {expected:R}, got {actual:R}; relative error {error:E2}, allowed {tolerance:E2}.");
    }

    public static void Absolute(double expected, double actual, double tolerance, string what = "value")
    {
        var error = Math.Abs(actual - expected);
        Assert.True(error <= tolerance, $"{what}: expected {expected:R}, got {actual:R}; error {error:E2}, allowed {tolerance:E2}.");
    }
}
