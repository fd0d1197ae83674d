using System.Diagnostics;
using System.Globalization;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Training.Data;
using Federated.Training.Data.Generators;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Benchmarks.Simulation;

/// <summary>
/// FedAvg on FedProx's Synthetic(1,1): 100 clients, 10 per round, one epoch, batch 10, softmax 60-10. Whole runs on 1, 2, … threads, beside
/// the bare training of the same clients in the same order in a plain loop: the difference is the platform's own cost per update. The
/// same again with buffered asynchrony (50 in flight, K = 10), which has no barrier and favours small clients.
/// </summary>
/// <remarks>
/// The clients' sizes are lognormal(4, 2) + 50, so that the longest client of a round of ten is often half of it: no schedule of whole
/// clients on two threads ends a round faster than that client. The bound printed is Σ steps / Σ max(longest client, steps / threads).
/// </remarks>
[WholeProcess("synthetic", "[threads] [repetitions]: FedAvg and buffered runs on Synthetic(1,1) against the bare training loop", "threads:count", "repetitions:count")]
internal static class SyntheticSpeed
{
    private const int Rounds = 1000;

    private static readonly SchedulerOptions Synchronous = new SynchronousOptions { Cohort = 10 };
    private static readonly SchedulerOptions Buffered = new BufferedOptions { Concurrency = 50, AggregationGoal = 10 };

    /// <param name="args">The most threads (default 2), and repetitions (default 5; the best counts, because the machine may be shared).</param>
    public static int Run(string[] args)
    {
        var most = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 2;
        var repetitions = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5;
        List<Case> cases = [];
        foreach (var (name, scheduler) in ((string, SchedulerOptions)[])[("synchronous", Synchronous), ("buffered", Buffered)])
        {
            var updates = Record(scheduler);
            cases.Add(new Case($"{name}, bare training", scheduler, 0, updates));
            cases.AddRange(Enumerable.Range(1, most).Select(threads => new Case($"{name}, {threads} threads", scheduler, threads, updates)));
        }

        for (var repetition = 0; repetition <= repetitions; repetition++)
        {
            foreach (var one in cases)
            {
                one.Measure(counts: repetition > 0); // In turns, so that a busy neighbour hits all of them.
            }
        }

        foreach (var one in cases)
        {
            var (bare, alone) = (cases.First(c => c.Scheduler == one.Scheduler), cases.First(c => c.Scheduler == one.Scheduler && c.Threads == 1));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Name,-26} {1 / one.Wall,9:N0} updates/s  {one.Wall * 1e6,6:N1} us/update  {one.Cpu * 1e6,6:N1} us CPU/update"
                + $"{(one.Threads == 1 ? $"  platform {(one.Cpu - bare.Cpu) * 1e6:N1} us" : "")}"
                + $"{(one.Threads > 1 ? $"  speed-up {alone.Wall / one.Wall:N2} of at most {one.Bound:N2}" : "")}"));
        }

        return 0;
    }

    private static List<UpdateRow> Record(SchedulerOptions scheduler)
    {
        var recorder = new Updates();
        Experiment.Prepare(Configuration(scheduler, 1), ".").Run(recorder, TimeProvider.System, CancellationToken.None);
        recorder.Rows.RemoveAll(row => row.Outcome != UpdateOutcome.Accepted);
        return recorder.Rows;
    }

    private static ExperimentConfiguration Configuration(SchedulerOptions scheduler, int threads) => new()
    {
        Threads = threads,
        Data = new DataOptions { Source = new SyntheticOptions { Clients = 100 } },
        Model = new SoftmaxRegressionOptions(),
        Training = new LocalTraining { Optimizer = new SgdOptions { LearningRate = 0.01 } },
        Strategy = new StrategyOptions { Scheduler = scheduler },
        Run = new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { Versions = Rounds } },
    };

    private sealed class Case(string name, SchedulerOptions scheduler, int threads, List<UpdateRow> updates)
    {
        private static readonly FederatedData Data = FederatedDataFactory.Create(Configuration(Synchronous, 1).Data!, ".", 1);

        public string Name => name;

        public SchedulerOptions Scheduler => scheduler;

        /// <summary>0 for the bare loop.</summary>
        public int Threads => threads;

        /// <summary>The most that so many threads can gain when clients are trained whole.</summary>
        public double Bound
        {
            get
            {
                if (scheduler == Buffered)
                {
                    return threads;
                }

                var rounds = updates.GroupBy(u => u.BaseVersion).Select(r => (Steps: r.Sum(u => (double)u.LocalSteps), Longest: r.Max(u => u.LocalSteps))).ToList();
                return rounds.Sum(r => r.Steps) / rounds.Sum(r => Math.Max(r.Longest, r.Steps / threads));
            }
        }

        /// <summary>Seconds per update, the best so far.</summary>
        public double Wall { get; private set; } = double.PositiveInfinity;

        /// <summary>Seconds of processor time per update, the best so far.</summary>
        public double Cpu { get; private set; } = double.PositiveInfinity;

        public void Measure(bool counts)
        {
            var experiment = threads == 0 ? null : Experiment.Prepare(Configuration(scheduler, threads), ".");
            var (cpu, watch) = (Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
            if (experiment is null)
            {
                Bare();
            }
            else
            {
                experiment.Run(null, TimeProvider.System, CancellationToken.None);
            }

            if (counts)
            {
                Wall = Math.Min(Wall, watch.Elapsed.TotalSeconds / (Rounds * 10));
                Cpu = Math.Min(Cpu, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / (Rounds * 10));
            }
        }

        private void Bare()
        {
            var model = ModelFactory.Create<float>(new SoftmaxRegressionOptions(), Data.Train.ExampleShape, Data.Train.Classes);
            var trainer = new LocalTrainer<float>(model, new LocalTrainingOptions { Optimizer = new SgdOptions { LearningRate = 0.01 } });
            var (start, delta) = (new float[model.Layout.Count], new float[model.Layout.Count]);
            foreach (var update in updates)
            {
                trainer.Train(
                    new LocalTask<float>
                    {
                        Start = start,
                        Data = Data.Train,
                        Examples = Data.Clients[update.Client].Train,
                        Steps = update.LocalSteps,
                        Seed = (ulong)update.Assignment,
                    },
                    delta);
            }
        }
    }

    private sealed class Updates : ISimulationObserver
    {
        public List<UpdateRow> Rows { get; } = [];

        public void OnUpdate(in UpdateRow row) => Rows.Add(row);
    }
}
