using System.Globalization;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Shuffle.Optimization;

namespace Federated.Simulation.Studies;

/// <summary>
/// Shuffle-private stochastic convex optimisation: the excess population loss of its three optimisers as the number of users grows, with the
/// shuffled sum, a trusted server, local randomisers and no privacy at all, at (ε, δ) = (1, 10⁻⁶), one report a user.
/// </summary>
/// <remarks>
/// Cheu, Joseph, Mao, Peng, ICLR 2022, https://arxiv.org/abs/2106.09805. Users hold (x, y) with x in the unit ball of d = 10 dimensions and y from
/// a linear model w* with ‖w*‖ = 2: signs from the logistic model for the smooth loss, values with noise of deviation 0.2 for the absolute
/// loss, so that w* minimises the population loss in both. The batch is the power of two that minimises the theory's bound for the protocol's
/// noise. The excess is measured on 20 000 fresh users.
/// </remarks>
public sealed class ShuffleOptimizationStudy : Study
{
    private const int Dimension = 10;
    private const int Levels = 32;
    private const int Fresh = 20_000;
    private const double Epsilon = 1;
    private const double Delta = 1e-6;
    private const double Radius = 3;
    private static readonly int[] Sizes = [1 << 12, 1 << 14, 1 << 16, 1 << 18];
    private static readonly string[] Trusts = ["none", "central", "shuffle", "local"];

    public override string Name => "shuffle-sco";

    public override string Description => "Excess loss of shuffle-private convex optimisation against local and central as the number of users grows.";

    public override IReadOnlyList<string> SettingColumns => ["optimizer", "users", "trust"];

    public override IReadOnlyList<string> ValueColumns => ["excess_loss", "batch", "gradient_noise"];

    public override IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation)
    {
        var (seed, largest, _) = input;
        var noiseBits = ShuffledSum.VectorTrials(Dimension, VectorSum.IntegerSensitivityOf(Dimension, Levels), Epsilon, Delta);
        foreach (var kind in Enum.GetValues<PrivateOptimizerKind>())
        {
            var family = kind == PrivateOptimizerKind.Accelerated ? LinearLossKind.Logistic : LinearLossKind.Absolute;
            var truth = new double[Dimension];
            truth[0] = truth[3] = truth[5] = truth[9] = 1;
            var sizes = Sizes.Where(n => largest == 0 || n <= largest).ToArray();
            if (sizes.Length == 0)
            {
                yield break;
            }

            var fresh = Draw(family, Fresh, truth, SimulationRandom.Derive(seed, "fresh users", (int)family));
            var (rows, targets) = Users(family, sizes[^1], truth, SimulationRandom.Derive(seed, "users", (int)family));
            foreach (var users in sizes)
            {
                var loss = new LinearLoss(family, new ArraySegment<double[]>(rows, 0, users), new ArraySegment<double>(targets, 0, users), 1);
                foreach (var trust in Trusts)
                {
                    cancellation.ThrowIfCancellationRequested();
                    using var random = SimulationRandom.Derive(seed, trust, (int)kind, users);
                    var batch = BestBatch(kind, users, trust, noiseBits);
                    var protocol = Protocol(trust, batch, noiseBits, random);
                    var options = new PrivateOptimizerOptions
                    {
                        Kind = kind, BatchSize = batch, Radius = Radius, Smoothness = kind == PrivateOptimizerKind.Accelerated ? 0.25 : 0,
                    };
                    var point = new PrivateConvexOptimizer(options).Minimize(loss, protocol);
                    yield return new(
                        [KindName(kind), users.ToString(CultureInfo.InvariantCulture), trust],
                        [Excess(fresh, point, truth), batch, Math.Sqrt(Dimension * protocol.NoiseVariance(batch)) / batch]);
                }
            }
        }
    }

    private static string KindName(PrivateOptimizerKind kind) => kind switch
    {
        PrivateOptimizerKind.Sgd => "sgd (absolute)",
        PrivateOptimizerKind.Accelerated => "accelerated (logistic)",
        _ => "smoothed (absolute)",
    };

    private static IVectorSumProtocol Protocol(string trust, int batch, long noiseBits, SimulationRandom random) => trust switch
    {
        "none" => new CentralVectorSum(Dimension, 1, 0, random),
        "central" => new CentralVectorSum(Dimension, 1, CentralDeviation, random),
        "shuffle" => new ShuffledVectorSum(new VectorSum(Dimension, 1, Levels, checked((int)((noiseBits + batch - 1) / batch)), batch), random),
        _ => new LocalVectorSum(new LocalUpdateRandomizer<double>(new PrivUnitG<double>(Epsilon, Dimension + 1), 1), random),
    };

    /// <summary>Any two users' gradients are neighbours: the sum moves by up to 2.</summary>
    private static double CentralDeviation => 2 * AnalyticGaussian.NoiseMultiplier(Epsilon, Delta);

    /// <summary>The batch that minimises the bound: D·√((L² + v)/T) plain; 4βD²/T² + 2D·√(v/T) accelerated, with the envelope's error where smoothed.</summary>
    private static int BestBatch(PrivateOptimizerKind kind, int users, string trust, long noiseBits)
    {
        using var unused = new SimulationRandom(0);
        return Enumerable.Range(0, int.Log2(users) + 1).Select(power => 1 << power).MinBy(batch =>
        {
            var steps = (double)(users / batch);
            var variance = (Dimension * Protocol(trust, batch, noiseBits, unused).NoiseVariance(batch) / ((double)batch * batch)) + (1.0 / batch);
            var smoothness = kind == PrivateOptimizerKind.Accelerated ? 0.25 : Math.Sqrt(steps) / Radius;
            return kind == PrivateOptimizerKind.Sgd
                ? Radius * Math.Sqrt((1 + variance) / steps)
                : (4 * smoothness * Radius * Radius / (steps * steps)) + (2 * Radius * Math.Sqrt(variance / steps))
                    + (kind == PrivateOptimizerKind.Smoothed ? 1 / (2 * smoothness) : 0);
        });
    }

    private static LinearLoss Draw(LinearLossKind family, int users, double[] truth, SimulationRandom random)
    {
        var (rows, targets) = Users(family, users, truth, random);
        return new LinearLoss(family, rows, targets, 1);
    }

    private static (double[][] Rows, double[] Targets) Users(LinearLossKind family, int users, double[] truth, SimulationRandom random)
    {
        using var owned = random;
        var rows = new double[users][];
        var targets = new double[users];
        var noise = new double[users];
        GaussianSampler.Fill(noise.AsSpan(), 0.2, random);
        for (var i = 0; i < users; i++)
        {
            var x = rows[i] = new double[Dimension];
            GaussianSampler.Fill(x.AsSpan(), 1 / Math.Sqrt(Dimension), random);
            var norm = Math.Sqrt(x.Sum(v => v * v));
            var z = 0.0;
            for (var j = 0; j < Dimension; j++)
            {
                x[j] /= Math.Max(1, norm * (1 + 1e-12));
                z += x[j] * truth[j];
            }

            targets[i] = family == LinearLossKind.Logistic ? (random.NextDouble() < 1 / (1 + Math.Exp(-z)) ? 1 : -1) : z + noise[i];
        }

        return (rows, targets);
    }

    private static double Excess(LinearLoss fresh, double[] point, double[] truth)
    {
        var sum = 0.0;
        for (var i = 0; i < fresh.Users; i++)
        {
            sum += fresh.Value(i, point) - fresh.Value(i, truth);
        }

        return sum / fresh.Users;
    }
}
