using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Randomness;
using static Federated.Aggregation.Tests.ScalarFixture;

namespace Federated.Aggregation.Tests.Anarchic;

public class AnarchicTests
{
    private const double ServerRate = 3;

    private static double Step(IAggregator<double> aggregator, double model, double rate = ServerRate)
    {
        var gradient = new double[1];
        aggregator.Combine(gradient);
        return model + (rate * gradient[0]);
    }

    private static void Arrive(IAggregator<double> aggregator, int client, double basis, int steps, long sequence, double rate = Rate) =>
        aggregator.Add(Contribution(client, [Delta(client, basis, steps, rate)], 1, steps, sequence));

    public class Golden_values
    {
        [Fact]
        public void Of_AFA_CS()
        {
            var aggregator = new AnarchicMemory<double>(1);
            var versions = new List<double> { Start };
            Arrive(aggregator, 0, Start, 3, 1);
            Arrive(aggregator, 1, Start, 3, 2);
            versions.Add(Step(aggregator, Start));
            foreach (var (client, basis, steps) in new[] { (0, 0, 2), (0, 1, 4), (1, 1, 3), (0, 3, 1) })
            {
                Arrive(aggregator, client, versions[basis], steps, 2 + versions.Count);
                versions.Add(Step(aggregator, versions[^1]));
            }

            var expected = new[] { 1, 0.421, -0.137, -0.6609432125, -0.994684925, -1.090841943 };
            for (var i = 0; i < expected.Length; i++)
            {
                Near(expected[i], versions[i]);
            }
        }

        [Fact]
        public void Of_AFA_CD()
        {
            var aggregator = new AnarchicMean<double>(1);
            var versions = new List<double> { Start };
            foreach (var (client, basis, steps) in new[] { (0, 0, 2), (1, 0, 4), (0, 1, 3) })
            {
                Arrive(aggregator, client, versions[basis], steps, versions.Count);
                versions.Add(Step(aggregator, versions[^1]));
            }

            Near(1.855, versions[1]);
            Near(0.145225, versions[2]);
            Near(0.72652, versions[3]);
        }
    }

    public class When_everybody_takes_part_with_equal_steps
    {
        [Fact]
        public void Both_are_uniform_FedAvg_over_the_steps()
        {
            var (cd, cs, mean) = (new AnarchicMean<double>(1), new AnarchicMemory<double>(1), new WeightedMean<double>(1));
            var model = Start;
            for (var round = 0; round < 6; round++)
            {
                for (var client = 0; client < 2; client++)
                {
                    Arrive(cd, client, model, 4, round);
                    Arrive(cs, client, model, 4, round);
                    Arrive(mean, client, model, 4, round);
                }

                var expected = Step(mean, model, ServerRate / 4);
                Assert.Equal(expected, Step(cd, model), 1e-12);
                Assert.Equal(expected, Step(cs, model), 1e-12);
                model = expected;
            }
        }
    }

    public class When_one_client_arrives_nine_times_as_often
    {
        // One local step of rate 1 makes the update −∇F_i; the server rate is then η·η_L = 0.002.
        private static double Run(IAggregator<double> aggregator, int arrivals, Action<double>? watch = null)
        {
            var model = Start;
            if (aggregator is AnarchicMemory<double>)
            {
                Arrive(aggregator, 1, model, 1, 0, 1);
            }

            for (var i = 0; i < arrivals; i++)
            {
                Arrive(aggregator, i % 10 == 9 ? 1 : 0, model, 1, i, 1);
                model = Step(aggregator, model, 0.002);
                watch?.Invoke(model);
            }

            return model;
        }

        [Fact]
        public void The_memory_goes_to_the_true_optimum() => Assert.Equal(-0.5, Run(new AnarchicMemory<double>(1), 20_000), 1e-9);

        [Fact]
        public void The_mean_goes_to_the_surrogate_of_the_frequent_client()
        {
            // Σ r a b / Σ r a with r = (0.9, 0.1) is 2.5; the last value hovers around it by the rare client's kick.
            var (sum, count) = (0.0, 0);
            var last = Run(new AnarchicMean<double>(1), 20_000, model =>
            {
                if (++count > 10_000)
                {
                    sum += model;
                }
            });
            Assert.InRange(last, 2.4, 2.6);
            Assert.InRange(sum / 10_000, 2.48, 2.56);
        }
    }

    public class The_memory
    {
        private static float[] Vector(SeededRandom random, int dimension) => [.. Enumerable.Range(0, dimension).Select(_ => (float)random.NextNormal())];

        private static float[] Read(AnarchicMemory<float> aggregator, int dimension)
        {
            var result = new float[dimension];
            aggregator.Combine(result);
            return result;
        }

        [Fact]
        public void Keeps_a_running_sum_that_equals_the_recomputed_one_to_the_bit()
        {
            const int dimension = 700;
            var random = SeededRandom.Derive(1, "memory");
            var memory = new ClientMemory<float>();
            var running = new AnarchicMemory<float>(dimension, memory: memory);
            for (var i = 0; i < 400; i++)
            {
                if (random.NextInt(20) == 0)
                {
                    running.Forget(random.NextInt(9));
                }

                var delta = Vector(random, dimension).Select(x => x * MathF.Pow(10, random.NextInt(12) - 8)).ToArray();
                running.Add(new Contribution<float>(random.NextInt(9), delta, 1) { Sequence = i, LocalSteps = 1 + random.NextInt(5) });
                if (i % 40 == 39)
                {
                    // As after a restart: the memory survives, the sum is taken anew.
                    var restarted = new AnarchicMemory<float>(dimension, memory: memory);
                    Assert.Equal(running.Remembered, restarted.Remembered);
                    var again = memory.Clients.First();
                    var vector = new float[dimension];
                    memory.TryRead(again, vector, out var sequence);
                    running.Add(new Contribution<float>(again, vector, 1) { Sequence = sequence - 1, LocalSteps = 1 });
                    restarted.Add(new Contribution<float>(again, vector, 1) { Sequence = sequence - 1, LocalSteps = 1 });
                    Assert.Equal(Read(running, dimension), Read(restarted, dimension));
                }
            }
        }

        [Fact]
        public void Does_not_change_when_the_arriving_gradient_is_the_stored_one()
        {
            var random = SeededRandom.Derive(2, "same");
            var vectors = Enumerable.Range(0, 5).Select(_ => Vector(random, 300)).ToArray();
            var aggregator = new AnarchicMemory<float>(300);
            for (var client = 0; client < 5; client++)
            {
                aggregator.Add(new Contribution<float>(client, vectors[client], 1) { Sequence = client, LocalSteps = 2 });
            }

            var expected = Read(aggregator, 300);
            for (var client = 4; client >= 0; client--)
            {
                aggregator.Add(new Contribution<float>(client, vectors[client], 1) { Sequence = 10 + client, LocalSteps = 2 });
                Assert.Equal(expected, Read(aggregator, 300));
            }
        }

        [Fact]
        public void Keeps_the_later_of_two_updates_of_a_client_whichever_comes_first()
        {
            foreach (var order in new long[][] { [1, 2], [2, 1] })
            {
                var aggregator = new AnarchicMemory<float>(1);
                foreach (var sequence in order)
                {
                    aggregator.Add(new Contribution<float>(0, [sequence], 1) { Sequence = sequence, LocalSteps = 1 });
                }

                Assert.Equal(2, aggregator.Count);
                Assert.Equal([2f], Read(aggregator, 1));
            }
        }

        [Fact]
        public void Takes_the_mean_over_those_heard_or_over_all()
        {
            var heard = new AnarchicMemory<float>(1);
            var all = new AnarchicMemory<float>(1, new AnarchicMemoryOptions { Clients = 4 });
            foreach (var aggregator in new[] { heard, all })
            {
                aggregator.Add(new Contribution<float>(0, [8f], 1) { LocalSteps = 2 });
                aggregator.Add(new Contribution<float>(1, [4f], 1) { LocalSteps = 1 });
            }

            var result = new float[1];
            Assert.Equal(1, heard.Combine(result).WeightSum);
            Assert.Equal(4, result[0]);
            Assert.Equal(0.5, all.Combine(result).WeightSum);
            Assert.Equal(2, result[0]);
        }

        [Fact]
        public void Refuses_more_clients_than_it_was_told_of()
        {
            var aggregator = new AnarchicMemory<float>(1, new AnarchicMemoryOptions { Clients = 1 });
            aggregator.Add(new Contribution<float>(0, [8f], 1) { LocalSteps = 2 });
            aggregator.Add(new Contribution<float>(1, [8f], 1) { LocalSteps = 2 });
            Assert.Contains("raise clients", Assert.Throws<AggregationException>(() => aggregator.Combine(new float[1])).Message);
        }

        [Fact]
        public void Is_left_alone_by_an_update_that_is_refused()
        {
            var aggregator = new AnarchicMemory<float>(2);
            aggregator.Add(new Contribution<float>(0, [1f, 2f], 1) { LocalSteps = 1 });
            Assert.Contains("Coordinate 1", Assert.Throws<AggregationException>(
                () => aggregator.Add(new Contribution<float>(0, [1f, float.NaN], 1) { LocalSteps = 1, Sequence = 1 })).Message);
            Assert.Throws<AggregationException>(() => aggregator.Add(new Contribution<float>(0, [1f, 1f], 1) { Sequence = 1 }));
            Assert.Equal([1f, 2f], Read(aggregator, 2));
        }
    }
}

public class AnarchicMeanConformance : AggregatorConformance<float>
{
    protected override (double Least, double Most) WeightSum =>
        (Enumerable.Range(0, Clients).Average(i => Weight(i) / Steps(i)), Enumerable.Range(0, Clients).Average(i => Weight(i) / Steps(i)));

    protected override IAggregator<float> Create(int dimension) => new AnarchicMean<float>(dimension);
}

public class AnarchicMemoryConformance : AggregatorConformance<double>
{
    private ClientMemory<double> memory = new();

    protected override bool ForgetsAfterCombine => false;

    // Its state is the memory of clients, which the store keeps.
    protected override IAggregator<double> Restore(IAggregator<double> aggregator)
    {
        var copy = new ClientMemory<double>();
        var vector = new double[Dimension];
        foreach (var client in memory.Clients)
        {
            Assert.True(memory.TryRead(client, vector, out var sequence));
            copy.Write(client, sequence, vector);
        }

        return new AnarchicMemory<double>(Dimension, null, copy);
    }

    protected override IAggregator<double> Create(int dimension) => new AnarchicMemory<double>(dimension, null, memory = new ClientMemory<double>());
}
