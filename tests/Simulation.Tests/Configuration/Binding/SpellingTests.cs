using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Tests.Configuration.Binding;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ab", "ba", 1)]
    [InlineData("ca", "abc", 3)]
    public void DistanceIsOptimalStringAlignment(string a, string b, int distance)
    {
        Assert.Equal(distance, Spelling.Distance(a, b));
        Assert.Equal(distance, Spelling.Distance(b, a));
    }

    [Fact]
    public void TheNearestComesFirst() => Assert.Equal(["beta2", "beta10"], Spelling.Nearest("beta", ["beta10", "beta2", "gamma"]));

    [Fact]
    public void AnExactHitBesidesCaseStandsAlone() => Assert.Equal(["batchSize"], Spelling.Nearest("BATCH_SIZE", ["batchSize", "batchSizes"]));

    [Fact]
    public void NothingNearGivesNothing() => Assert.Empty(Spelling.Nearest("zebra", ["learningRate", "seed"]));
}
