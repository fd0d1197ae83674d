using Federated.Privacy.Accounting;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Accounting;

/// <content>Cohorts of a fixed size, drawn without replacement.</content>
public static partial class PldAccountantTests
{
    public sealed class FixedSizeSampling
    {
        private static PrivacyEvent FixedSize(long m, long n, PrivacyEvent inner, long steps = 1) => new FixedSizeSampledEvent(n, m, inner).Repeated(steps);

        /// <summary>
        /// All 2-of-3 subsets of three bits, each bit randomised by response with ln 3: the outcome is which subset was drawn is hidden, the
        /// multiset of the two reports is seen. The exact trade-off of the whole is enumerated and must lie below the bound.
        /// </summary>
        [Fact]
        public void Bound_holds_against_enumeration()
        {
            const double keep = 0.75;
            foreach (var steps in (int[])[1, 2])
            {
                foreach (var epsilon in (double[])[0.0, 0.2, 0.5, 0.9])
                {
                    var bound = Accountant.Delta(
                        FixedSize(2, 3, new PureEvent(NeighbourRelation.ReplaceOneClient, Math.Log(keep / (1 - keep))), steps), epsilon);
                    foreach (var others in (int[][])[[0, 0], [0, 1], [1, 1]])
                    {
                        var p = Views([0, .. others], keep);
                        var q = Views([1, .. others], keep);
                        if (steps == 2)
                        {
                            p = [.. p.SelectMany(a => p.Select(b => a * b))];
                            q = [.. q.SelectMany(a => q.Select(b => a * b))];
                        }

                        var exact = p.Zip(q, (a, b) => Math.Max(0, a - Math.Exp(epsilon) * b)).Sum();
                        Assert.True(exact <= bound + 1e-12, $"steps {steps}, ε {epsilon}: exact {exact}, bound {bound}");
                    }
                }
            }
        }

        private static double[] Views(int[] bits, double keep)
        {
            var views = new double[3];
            foreach (var (i, j) in (ReadOnlySpan<(int, int)>)[(0, 1), (0, 2), (1, 2)])
            {
                var (a, b) = (bits[i] == 1 ? keep : 1 - keep, bits[j] == 1 ? keep : 1 - keep);
                views[0] += (1 - a) * (1 - b) / 3;
                views[1] += (a * (1 - b) + b * (1 - a)) / 3;
                views[2] += a * b / 3;
            }

            return views;
        }

        [Fact]
        public void One_round_is_the_amplified_trade_off()
        {
            var gaussian = new GaussianEvent(NeighbourRelation.ReplaceOneClient, 1);
            var inner = Math.Log(1 + (Math.Exp(0.3) - 1) * 100);
            Near.Relative(0.01 * AnalyticGaussian.Delta(1, inner), Accountant.Delta(FixedSize(10, 1000, gaussian), 0.3), 1e-4);
        }

        /// <summary>Composed, it is below the Rényi accountant on all rows, and above the Poisson number that is invalid here.</summary>
        [VectorFact("accountant_wor_gaussian")]
        public void Lies_between_the_poisson_reading_and_the_renyi_bound()
        {
            foreach (var row in VectorFile.Read("accountant_wor_gaussian"))
            {
                var (m, n, sigma, steps, delta) =
                    (row.Integer("m"), row.Integer("n"), row.Number("sigma"), row.Integer("T"), row.Number("delta"));
                var epsilon = Accountant.Epsilon(FixedSize(m, n, new GaussianEvent(NeighbourRelation.ReplaceOneClient, sigma), steps), delta);
                Assert.True(epsilon <= row.Number("eps_rdp_wor") + 1e-6, $"{row}: {epsilon}");
                Assert.True(epsilon >= Accountant.Epsilon(Sampled((double)m / n, sigma, steps), delta) - 1e-6, $"{row}: {epsilon}");
            }
        }

        [Fact]
        public void Refuses_add_remove() => Assert.Contains("replace-one", Assert.Throws<PrivacyException>(
            () => FixedSize(10, 100, new GaussianEvent(NeighbourRelation.AddRemoveClient, 1))).Message, StringComparison.Ordinal);
    }
}
