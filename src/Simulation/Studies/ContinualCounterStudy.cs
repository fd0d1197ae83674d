using System.Globalization;
using Federated.Privacy.Accounting;
using Federated.Privacy.Central.Counters;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;

namespace Federated.Simulation.Studies;

/// <summary>
/// A running count of one bit a client at (ε, δ) = (1, 10⁻⁶): k concurrent shufflers for k = 1 … 5, beside a trusted server (tree, buffered
/// factorisation) and local randomised response.
/// </summary>
/// <remarks>Tenenbaum, Kaplan, Mansour, Stemmer, ICML 2023, https://arxiv.org/abs/2301.12535: error n^(1/(2k+1)) for k shufflers.</remarks>
public sealed class ContinualCounterStudy : Study
{
    private const double Epsilon = 1;
    private const double Delta = 1e-6;
    private static readonly int[] Lengths = [1 << 12, 1 << 16, 1 << 20];

    public override string Name => "continual-counter";

    public override string Description => "Error of a private running count by k concurrent shufflers, against a trusted server and local randomisers.";

    public override IReadOnlyList<string> SettingColumns => ["steps", "trust"];

    public override IReadOnlyList<string> ValueColumns => ["rms_error", "rms_stated", "largest_error", "delay"];

    public override IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation)
    {
        var (seed, largest, _) = input;
        foreach (var steps in Lengths.Where(n => largest == 0 || n <= largest))
        {
            for (var k = 1; k <= 5; k++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var random = SimulationRandom.Derive(seed, Name, steps, k);
                var counter = ConcurrentShufflersCounter.ForGuarantee(steps, k, Epsilon, Delta, random);
                yield return Measure(steps, $"shuffle, k = {k}", counter.BatchLengths[0], random, counter.Add, counter.Variance);
            }

            using var central = SimulationRandom.Derive(seed, Name, steps, 0);
            var multiplier = AnalyticGaussian.NoiseMultiplier(Epsilon, Delta);
            var tree = TreeCounter.Gaussian(multiplier, steps, 1, Participation.Once, central);
            yield return Measure(steps, "central, tree", 1, central, bit => tree.Add(bit ? 1 : 0), tree.Variance);
            if (steps <= 1 << 16)
            {
                // Its error is computed from all pairs of steps.
                var factors = new FactorizationCounter(BufferedLinearToeplitz.RationalApproximation(steps, 5), multiplier, 1, Participation.Once, central);
                yield return Measure(steps, "central, blt", 1, central, bit => factors.Add(bit ? 1 : 0), factors.Variance);
            }

            // Each client's randomised response estimates its own bit; a prefix is their sum.
            var local = new GeneralizedRandomizedResponse(Epsilon, 2);
            var (report, state, sum) = (new byte[local.ReportBytes], new long[2], 0.0);
            var variance = local.VariancePerReport(0.5);
            yield return Measure(
                steps, "local", 1, central,
                bit =>
                {
                    local.Randomize(bit ? 1 : 0, report, central);
                    state.AsSpan().Clear();
                    local.Accumulate(report, state);
                    return sum += (state[1] - local.FalseSupport) / (local.TrueSupport - local.FalseSupport);
                },
                step => step * variance);
        }
    }

    private static StudyRow Measure(int steps, string trust, int delay, SimulationRandom random, Func<bool, double> add, Func<int, double> variance)
    {
        var (truth, square, worst, stated) = (0L, 0.0, 0.0, 0.0);
        for (var t = 1; t <= steps; t++)
        {
            var bit = random.NextBit();
            truth += bit ? 1 : 0;
            var error = add(bit) - truth;
            square += error * error / steps;
            worst = Math.Max(worst, Math.Abs(error));
            stated += variance(t) / steps;
        }

        return new([steps.ToString(CultureInfo.InvariantCulture), trust], [Math.Sqrt(square), Math.Sqrt(stated), worst, delay]);
    }
}
