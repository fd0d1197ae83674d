using System.Globalization;
using Federated.Privacy.Bandits;
using Federated.Privacy.Randomness;

namespace Federated.Simulation.Studies;

/// <summary>
/// Federated linear contextual bandits in the silo-level local, the shuffle and the central model: the regret of ten silos after 127 fixed batches, on
/// synthetic contexts, and on letters, where the silo shows one of ten pictures and is rewarded for an M or a W.
/// </summary>
/// <remarks>
/// <see cref="FederatedLinearBandit"/> at δ = 10⁻⁶, a tenth of the theory's confidence width for everybody. Synthetic: d = 5, ten arms uniform on the sphere,
/// mean reward ⟨x, θ⟩/2 and uniform noise of ±0.5. Letters: 16 features scaled to [−1, 1] and a constant, over √17; users are rows drawn with replacement;
/// the regret is against the linear model that least squares fits to all rows. <c>regret</c> is a user's mean; <c>of_random</c> its share of what random
/// play loses; <c>late</c> that of the last quarter of batches alone.
/// </remarks>
public sealed class LinearBanditStudy : Study
{
    private const int Silos = 10;
    private const int Batches = 127;
    private const int Arms = 10;
    private static readonly double[] Epsilons = [1, 4];

    public override string Name => "bandits";

    public override string Description => "Regret of federated linear bandits with silo-level, shuffled and central noise, on synthetic contexts and on letters.";

    public override IReadOnlyList<string> SettingColumns => ["contexts", "trust", "epsilon"];

    public override IReadOnlyList<string> ValueColumns => ["users", "regret", "of_random", "late_of_random", "noise_deviation"];

    public override IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        var perBatch = input.Largest > 0 ? Math.Max(1, (int)Math.Min(50, input.Largest / (Silos * Batches))) : 50;
        foreach (var contexts in (string[])["synthetic", "letters"])
        {
            var environment = contexts == "letters" ? Letters(input.DataDirectory) : Synthetic(input.Seed);
            foreach (var trust in Enum.GetValues<BanditTrust>())
            {
                foreach (var epsilon in trust == BanditTrust.None ? [double.PositiveInfinity] : Epsilons)
                {
                    cancellation.ThrowIfCancellationRequested();
                    yield return Play(environment, contexts, trust, epsilon, perBatch, input.Seed);
                }
            }
        }
    }

    private StudyRow Play(Environment environment, string contexts, BanditTrust trust, double epsilon, int perBatch, ulong seed)
    {
        using var noise = SimulationRandom.Derive(seed, Name, 1, (int)trust, (long)Math.Min(1e6, 100 * epsilon));
        using var random = SimulationRandom.Derive(seed, Name, 2); // the same users for everybody
        var options = new LinearBanditOptions
        {
            Dimension = environment.Best.Length, Silos = Silos, BatchUsers = perBatch, Batches = Batches, Trust = trust,
            Epsilon = double.IsFinite(epsilon) ? epsilon : 1, Exploration = 0.1, RewardNoise = 0.5, ShuffleLevels = 32,
        };
        var bandit = new FederatedLinearBandit(options, noise);
        var (regret, late, atRandom, lateAtRandom) = (0.0, 0.0, 0.0, 0.0);
        for (var batch = 0; batch < Batches; batch++)
        {
            for (var user = 0; user < Silos * perBatch; user++)
            {
                var (arms, means) = environment.Draw(random);
                var chosen = bandit.Choose(arms);
                var best = means[IndexOfBest(arms, environment.Best)];
                var average = means.Average();
                regret += best - means[chosen];
                atRandom += best - average;
                if (batch >= Batches * 3 / 4)
                {
                    late += best - means[chosen];
                    lateAtRandom += best - average;
                }

                bandit.Observe(user % Silos, arms[chosen], means[chosen] + (environment.Noise * ((2 * random.NextDouble()) - 1)));
            }

            bandit.Synchronize();
        }

        var users = (double)Batches * Silos * perBatch;
        return new(
            [contexts, trust switch { BanditTrust.None => "none", BanditTrust.Silo => "silo", BanditTrust.Shuffle => "shuffle", _ => "central" },
                double.IsFinite(epsilon) ? epsilon.ToString(CultureInfo.InvariantCulture) : "–"],
            [users, regret / users, regret / atRandom, late / lateAtRandom, bandit.NoiseDeviation]);
    }

    private static int IndexOfBest(double[][] arms, double[] weights)
    {
        var (best, most) = (0, double.NegativeInfinity);
        for (var a = 0; a < arms.Length; a++)
        {
            var value = 0.0;
            for (var j = 0; j < weights.Length; j++)
            {
                value += arms[a][j] * weights[j];
            }

            (best, most) = value > most ? (a, value) : (best, most);
        }

        return best;
    }

    private static Environment Synthetic(ulong seed)
    {
        const int Dimension = 5;
        using var random = SimulationRandom.Derive(seed, "bandit truth");
        var truth = Unit(random, Dimension);
        return new(truth, 0.5, source =>
        {
            var arms = Enumerable.Range(0, Arms).Select(_ => Unit(source, Dimension)).ToArray();
            return (arms, [.. arms.Select(x => x.Zip(truth, (a, b) => a * b).Sum() / 2)]);
        });
    }

    private static double[] Unit(SimulationRandom random, int dimension)
    {
        var x = new double[dimension];
        GaussianSampler.Fill(x.AsSpan(), 1, random);
        var norm = Math.Sqrt(x.Sum(v => v * v));
        return [.. x.Select(v => v / norm)];
    }

    private static Environment Letters(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, "letter-recognition", "letter-recognition.data");
        if (!File.Exists(path))
        {
            throw new SimulationException(
                $"This study reads pictures of letters, and {Path.GetFullPath(path)} is not there. Name the folder of data sets with --data-dir, or get them with 'fed data get letter-recognition'.");
        }

        // UCI's file says the letter; others have a heading, and the letter's place in the alphabet from 0.
        var rows = File.ReadLines(path).Where(line => line.Length > 0 && !line.StartsWith("class", StringComparison.Ordinal)).Select(line => line.Split(',')).ToArray();
        if (rows.Length == 0 || rows.Any(row => row.Length != 17 || row.Skip(1).Any(cell => !int.TryParse(cell, CultureInfo.InvariantCulture, out var v) || v is < 0 or > 15)))
        {
            throw new SimulationException($"{path} is not the letter set: every line but a heading has a letter and sixteen whole numbers from 0 to 15.");
        }

        var features = rows.Select(row => (double[])[.. row.Skip(1).Select(cell => ((int.Parse(cell, CultureInfo.InvariantCulture) / 7.5) - 1) / Math.Sqrt(17)), 1 / Math.Sqrt(17)]).ToArray();
        var rewards = rows.Select(row => row[0] is "M" or "W" or "12" or "22" ? 1.0 : 0).ToArray();
        return new(LeastSquares(features, rewards), 0, source =>
        {
            var drawn = Enumerable.Range(0, Arms).Select(_ => source.NextBelow(features.Length)).ToArray();
            return ([.. drawn.Select(i => features[i])], [.. drawn.Select(i => rewards[i])]);
        });
    }

    /// <summary>By the bandit's own regression without noise.</summary>
    private static double[] LeastSquares(double[][] features, double[] rewards)
    {
        var fit = new FederatedLinearBandit(
            new LinearBanditOptions { Dimension = features[0].Length, Silos = 1, BatchUsers = features.Length, Batches = 1, Trust = BanditTrust.None, Ridge = 1e-3 },
            new SimulationRandom(0));
        foreach (var (x, r) in features.Zip(rewards))
        {
            fit.Observe(0, x, r);
        }

        fit.Synchronize();
        return [.. fit.Estimate];
    }

    /// <summary>Where a user comes from.</summary>
    /// <param name="Best">The linear model that regret is measured against.</param>
    /// <param name="Noise">Of a reward around its mean.</param>
    /// <param name="Draw">Arms and their mean rewards.</param>
    private sealed record Environment(double[] Best, double Noise, Func<SimulationRandom, (double[][] Arms, double[] Means)> Draw);
}
