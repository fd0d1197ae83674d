using Federated.Privacy.Audit;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Audit;

public static class AuditTests
{
    public sealed class The_one_run_bound
    {
        [Theory]
        [InlineData(1000, 100, 100, 0, 3.4929654)]
        [InlineData(1000, 1000, 700, 1e-5, 0.73174045)]
        [InlineData(10000, 1000, 950, 1e-6, 2.7008155)]
        [InlineData(200, 200, 110, 0, 0)]
        public void Meets_the_reference(long m, long r, long v, double delta, double bound) =>
            Assert.Equal(bound, OneRunBound.EpsilonLowerBound(m, r, v, delta, 0.05), 1e-6);

        [Fact]
        public void Meets_one_run_audit_csv()
        {
            foreach (var row in VectorFile.ReadIfThere("one_run_audit"))
            {
                var (m, r, v, error, delta) = (row.Integer("m"), row.Integer("r"), row.Integer("v"), row.Number("p"), row.Number("delta"));
                Assert.Equal(row.Number("eps_lb"), OneRunBound.EpsilonLowerBound(m, r, v, delta, error), 1e-6);
                Assert.Equal(row.Number("cp_eps_lb"), ClopperPearson.EpsilonLowerBound(v, r, r - v, r, delta, error), 1e-5);
            }
        }

        [Fact]
        public void Keeps_the_delta_term()
        {
            // Anti-pattern 5 (privacy.md §8): without 2mδα the bound is too large for δ > 0.
            var with = OneRunBound.EpsilonLowerBound(10_000, 1000, 950, 1e-5, 0.05);
            var without = OneRunBound.EpsilonLowerBound(10_000, 1000, 950, 0, 0.05);
            Assert.True(with < without - 0.005);
            Assert.Equal(2.6909965, with, 1e-6);
        }
    }

    public sealed class Confidence_limits
    {
        [Fact]
        public void Cover_the_probability_as_often_as_they_say()
        {
            using var random = new SimulationRandom(181);
            int below = 0, above = 0;
            for (var i = 0; i < 4000; i++)
            {
                long hits = 0;
                for (var t = 0; t < 50; t++)
                {
                    hits += random.NextDouble() < 0.3 ? 1 : 0;
                }

                below += ClopperPearson.Lower(hits, 50, 0.05) > 0.3 ? 1 : 0;
                above += ClopperPearson.Upper(hits, 50, 0.05) < 0.3 ? 1 : 0;
            }

            // At most 5 % each; Clopper–Pearson is conservative.
            var limit = 200 + (Statistics.Z * Math.Sqrt(4000 * 0.05 * 0.95));
            Assert.True(below <= limit && above <= limit, $"{below} {above}");
        }

        [Fact]
        public void Are_closed_at_the_ends()
        {
            Assert.Equal(0, ClopperPearson.Lower(0, 10, 0.05));
            Assert.Equal(1, ClopperPearson.Upper(10, 10, 0.05));
            Assert.Equal(1 - Math.Pow(0.05, 0.1), ClopperPearson.Upper(0, 10, 0.05), 1e-12);
        }
    }

    public sealed class An_exact_audit
    {
        [Fact]
        public void Finds_the_true_parameter_and_the_hockey_stick()
        {
            double[][] laws = [[0.75, 0.25], [0.25, 0.75]];
            Assert.Equal(Math.Log(3), ExactAudit.Epsilon(laws), 1e-12);
            Assert.Equal(0.5, ExactAudit.Delta(laws, 0), 1e-12);
            Assert.Equal(0, ExactAudit.Delta(laws, Math.Log(3)), 1e-12);
            Assert.Equal(double.PositiveInfinity, ExactAudit.Epsilon([[1.0, 0], [0.5, 0.5]]));
        }

        [Fact]
        public void Refuses_laws_that_are_none() =>
            Assert.Throws<PrivacyException>(() => ExactAudit.Epsilon([[0.5, 0.4], [0.5, 0.5]]));
    }

    public sealed class The_suite
    {
        private static readonly AuditOptions Options = new() { Samples = 4000, Canaries = 1000 };

        [Fact]
        public void Passes_every_mechanism()
        {
            using var random = new SimulationRandom(182);
            var findings = MechanismAudits.Run(Options, random);
            Assert.Equal(MechanismAudits.Names.Count, findings.Count);
            Assert.All(findings, f => Assert.True(f.Passed, f.ToString()));
        }

        [Fact]
        public void Proves_more_than_3_of_every_mechanism_whose_noise_was_removed_and_fails_it()
        {
            using var random = new SimulationRandom(183);
            var findings = MechanismAudits.Run(Options with { Canaries = 2000, RemoveNoise = true }, random);
            Assert.Equal(MechanismAudits.Names.Count, findings.Count);
            Assert.All(findings, f => Assert.True(f.EpsilonLowerBound > 3 && !f.Passed, f.ToString()));
        }

        [Fact]
        public void Is_tight_where_the_law_is_known()
        {
            using var random = new SimulationRandom(184);
            var finding = MechanismAudits.Run(Options with { Mechanisms = ["frequency.grr"], Samples = 40_000 }, random)[0];
            Assert.InRange(finding.EpsilonLowerBound, 0.8, 1);
        }

        [Fact]
        public void Says_which_audits_there_are()
        {
            using var random = new SimulationRandom(185);
            var refusal = Assert.Throws<PrivacyException>(() => MechanismAudits.Run(Options with { Mechanisms = ["nope"] }, random));
            Assert.Contains("scalar.duchi", refusal.Message, StringComparison.Ordinal);
        }
    }
}
