namespace Federated.Privacy.Tests;

public static class PrivacyGuaranteeTests
{
    private static PrivacyGuarantee Make(double epsilon, double delta, NeighbourRelation relation, TrustModel trust = TrustModel.Central) => new()
    {
        Epsilon = epsilon,
        Delta = delta,
        Relation = relation,
        Trust = trust,
        Accountant = "test",
        Assumptions = ["noise is secret"],
    };

    public sealed class Compose
    {
        [Fact]
        public void Adds_epsilons_and_deltas_and_keeps_the_weakest_trust()
        {
            var sum = PrivacyGuarantee.ComposeSequentially(
                Make(1, 1e-6, NeighbourRelation.ReplaceOneClient, TrustModel.Local), Make(0.5, 1e-7, NeighbourRelation.ReplaceOneClient));
            Assert.Equal(1.5, sum.Epsilon);
            Near.Relative(1.1e-6, sum.Delta, 1e-15);
            Assert.Equal(TrustModel.Central, sum.Trust);
            Assert.Equal(["noise is secret"], sum.Assumptions);
        }

        [Fact]
        public void Takes_the_worst_of_disjoint_parts_and_says_that_they_must_be_disjoint()
        {
            var worst = PrivacyGuarantee.ComposeDisjoint(
                Make(1, 1e-6, NeighbourRelation.AddRemoveClient), Make(2, 1e-7, NeighbourRelation.AddRemoveClient));
            Assert.Equal((2.0, 1e-6), (worst.Epsilon, worst.Delta));
            Assert.Contains(worst.Assumptions, sentence => sentence.Contains("two of the composed", StringComparison.Ordinal));
        }

        [Fact]
        public void Refuses_unlike_adjacencies_and_says_why()
        {
            var error = Assert.Throws<PrivacyException>(() => PrivacyGuarantee.ComposeSequentially(
                Make(1, 0, NeighbourRelation.AddRemoveClient), Make(1, 0, NeighbourRelation.ReplaceOneClient)));
            Assert.Contains("add-remove", error.Message, StringComparison.Ordinal);
            Assert.Contains("replace-one", error.Message, StringComparison.Ordinal);
        }

        [Fact]
        public void Refuses_unlike_units_and_says_why()
        {
            var error = Assert.Throws<PrivacyException>(() => PrivacyGuarantee.ComposeSequentially(
                Make(1, 0, NeighbourRelation.ReplaceOneClient), Make(1, 0, NeighbourRelation.ReplaceOneParticipation)));
            Assert.Contains("client participation", error.Message, StringComparison.Ordinal);
        }

        [Fact]
        public void Refuses_an_empty_list() => Assert.Throws<PrivacyException>(() => PrivacyGuarantee.ComposeSequentially([]));
    }

    public sealed class Construction
    {
        [Theory]
        [InlineData(-0.1, 1e-5)]
        [InlineData(double.NaN, 1e-5)]
        [InlineData(1, 1.1)]
        [InlineData(1, -1e-9)]
        public void Refuses_numbers_that_mean_nothing(double epsilon, double delta) =>
            Assert.Throws<PrivacyException>(() => Make(epsilon, delta, NeighbourRelation.AddRemoveClient));

        [Fact]
        public void Has_value_equality() =>
            Assert.Equal(Make(1, 0, NeighbourRelation.AddRemoveClient), Make(1, 0, NeighbourRelation.AddRemoveClient));
    }

    public sealed class Sensitivity
    {
        [Fact]
        public void Doubles_under_replace_one()
        {
            Assert.Equal(6, NeighbourRelation.ReplaceOneClient.SumSensitivity(3));
            Assert.Equal(3, NeighbourRelation.AddRemoveClient.SumSensitivity(3));
            Assert.Equal(3, NeighbourRelation.ZeroOutParticipation.SumSensitivity(3));
        }
    }
}
