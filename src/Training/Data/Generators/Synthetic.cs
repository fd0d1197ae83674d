using System.Globalization;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Generators;

/// <summary>
/// FedProx's synthetic classification: every client labels Gaussian inputs by a linear model of its own; α says how much the models
/// differ between clients and β how much the inputs do.
/// </summary>
/// <remarks>
/// Li et al., "Federated Optimization in Heterogeneous Networks", MLSys 2020, https://arxiv.org/abs/1812.06127, section 5.1, with the
/// constants of its generator (the second argument of N is a standard deviation, as there).
/// <list type="table">
/// <item><term>n_k</term><description>⌊LogNormal(4, 2)⌋ + 50 examples</description></item>
/// <item><term>u_k, B_k</term><description>N(0, α), N(0, β): centre of client k's weights, of its inputs' centre</description></item>
/// <item><term>v_k ∈ ℝᵈ</term><description>N(B_k, 1) per feature: centre of the inputs; in the IID set 0</description></item>
/// <item><term>W_k ∈ ℝᵈˣᶜ, b_k ∈ ℝᶜ</term><description>N(u_k, 1): the model; in the IID set one N(0, 1) for all</description></item>
/// <item><term>x, y</term><description>x_j ~ N(v_kj, j^−0.6) (variance j^−1.2), y = argmax(xW + b)</description></item>
/// </list>
/// Each client's examples are shuffled; the first ⌊0.9·n_k⌋ train, the rest are held out.
/// Draw order: stream ("synthetic") gives all n_k, all u_k, all B_k (in the IID set all n_k, W, b); stream ("synthetic", k) gives
/// v_k, W_k row by row, b_k, the examples, the shuffle. Deviation: the reference draws all from one unseeded stream; ours has one per
/// client, so that clients are drawn in parallel and do not depend on how many there are.
/// Cost: O(examples · d · C).
/// </remarks>
public static class Synthetic
{
    public const string Name = "synthetic";
    public const string IidName = "synthetic-iid";

    /// <summary>Draws all clients; client k has its own training and held-out examples.</summary>
    public static FederatedData Generate(SyntheticShape options, ulong seed)
    {
        var random = SeededRandom.Derive(seed, Name);
        var sizes = Sizes(options, random);
        var population = new Population(options, random);
        var (trainStart, testStart) = (Starts(sizes, TrainCount), Starts(sizes, n => n - TrainCount(n)));
        var train = Allocate(options, trainStart[^1]);
        var test = Allocate(options, testStart[^1]);
        Parallel.For(0, options.Clients, k => new Client(options, population, k, SeededRandom.Derive(seed, Name, k)).Draw(
            sizes[k],
            (train.Features, train.Labels, (int)trainStart[k], TrainCount(sizes[k])),
            (test.Features, test.Labels, (int)testStart[k])));

        var name = options is SyntheticOptions o
            ? string.Create(CultureInfo.InvariantCulture, $"{Name}({o.Alpha},{o.Beta})")
            : IidName;
        return new FederatedData(
            new DataSet(name, train.Features, train.Labels, [options.Features], options.Classes),
            new DataSet(name, test.Features, test.Labels, [options.Features], options.Classes),
            [.. Enumerable.Range(0, options.Clients).Select(k => new ClientShard(
                k.ToString(CultureInfo.InvariantCulture),
                Range(trainStart, k),
                Range(testStart, k)))]);
    }

    private static int TrainCount(int examples) => (int)(0.9 * examples);

    private static int[] Sizes(SyntheticShape options, SeededRandom random)
    {
        var sizes = new int[options.Clients];
        for (var k = 0; k < sizes.Length; k++)
        {
            sizes[k] = (int)Math.Min(int.MaxValue / 2, random.NextLogNormal(options.SizeMu, options.SizeSigma)) + options.MinExamples;
        }

        return sizes;
    }

    private static long[] Starts(int[] sizes, Func<int, int> count)
    {
        var starts = new long[sizes.Length + 1];
        for (var k = 0; k < sizes.Length; k++)
        {
            starts[k + 1] = starts[k] + count(sizes[k]);
        }

        return starts;
    }

    private static int[] Range(long[] starts, int k) => [.. Enumerable.Range((int)starts[k], (int)(starts[k + 1] - starts[k]))];

    private static (float[] Features, int[] Labels) Allocate(SyntheticShape options, long count) =>
        count * options.Features <= Array.MaxLength
            ? (new float[count * options.Features], new int[count])
            : throw new TrainingException(
                $"{Name}: {options.Clients} clients drew {count} examples of {options.Features} features, {count * options.Features} values; "
                + $"one data set holds at most {Array.MaxLength}. Use fewer clients or a smaller sizeMu or sizeSigma.");

    /// <summary>What is drawn once for all clients.</summary>
    private sealed class Population
    {
        public Population(SyntheticShape options, SeededRandom random)
        {
            if (options is SyntheticOptions o)
            {
                ModelCentres = Normals(options.Clients, o.Alpha, random);
                InputCentres = Normals(options.Clients, o.Beta, random);
            }
            else
            {
                SharedWeights = Normals(options.Features * options.Classes, 1, random);
                SharedBias = Normals(options.Classes, 1, random);
            }
        }

        public double[] ModelCentres { get; } = [];

        public double[] InputCentres { get; } = [];

        public double[]? SharedWeights { get; }

        public double[]? SharedBias { get; }

        private static double[] Normals(int count, double deviation, SeededRandom random)
        {
            var values = new double[count];
            for (var i = 0; i < count; i++)
            {
                values[i] = random.NextNormal(0, deviation);
            }

            return values;
        }
    }

    private sealed class Client
    {
        private readonly int features;
        private readonly SeededRandom random;
        private readonly double[] centre;
        private readonly double[] deviation;
        private readonly double[] weights;
        private readonly double[] bias;
        private readonly double[] logits;

        public Client(SyntheticShape options, Population population, int k, SeededRandom stream)
        {
            (features, random) = (options.Features, stream);
            centre = new double[features];
            deviation = new double[features];
            for (var j = 0; j < features; j++)
            {
                deviation[j] = Math.Pow(j + 1, -0.6);
            }

            if (population.SharedWeights is not null)
            {
                (weights, bias) = (population.SharedWeights, population.SharedBias!);
            }
            else
            {
                Fill(centre, population.InputCentres[k]);
                Fill(weights = new double[features * options.Classes], population.ModelCentres[k]);
                Fill(bias = new double[options.Classes], population.ModelCentres[k]);
            }

            logits = new double[options.Classes];
        }

        public void Draw(
            int count,
            (float[] Features, int[] Labels, int Start, int Count) train,
            (float[] Features, int[] Labels, int Start) test)
        {
            var x = new float[count * features];
            var y = new int[count];
            var input = new double[features];
            for (var i = 0; i < count; i++)
            {
                for (var j = 0; j < features; j++)
                {
                    input[j] = random.NextNormal(centre[j], deviation[j]);
                    x[(i * features) + j] = (float)input[j];
                }

                y[i] = Label(input);
            }

            var order = Enumerable.Range(0, count).ToArray();
            random.Shuffle(order.AsSpan());
            for (var i = 0; i < count; i++)
            {
                var (targetX, targetY, at) = i < train.Count
                    ? (train.Features, train.Labels, train.Start + i)
                    : (test.Features, test.Labels, test.Start + i - train.Count);
                x.AsSpan(order[i] * features, features).CopyTo(targetX.AsSpan(at * features, features));
                targetY[at] = y[order[i]];
            }
        }

        private int Label(double[] input)
        {
            bias.CopyTo(logits, 0);
            for (var j = 0; j < features; j++)
            {
                var row = weights.AsSpan(j * logits.Length, logits.Length);
                for (var c = 0; c < row.Length; c++)
                {
                    logits[c] += input[j] * row[c];
                }
            }

            return logits.AsSpan().IndexOf(logits.Max());
        }

        private void Fill(double[] values, double mean)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = random.NextNormal(mean, 1);
            }
        }
    }
}
