using Federated.Protocol;
using Federated.Simulation.Devices;

namespace Federated.Simulation.Tests.Devices;

public static class FleetTests
{
    private static readonly LocalWork OneEpoch = LocalWork.OfEpochs(1);

    private static ClientsOptions Mixed => new()
    {
        Connectivity = new LogNormalConnectivity { Dropout = 0.2, Departure = 0.05 },
        Responsiveness = new LogNormalResponsiveness { Per = DrawScope.Task, SpeedSpread = 0.5 },
        Completeness = new UniformCompleteness(),
    };

    public sealed class Plan
    {
        [Fact]
        public void Of_a_task_is_the_same_whatever_was_planned_before()
        {
            var (one, other) = (new Fleet(Mixed, 50, 1), new Fleet(Mixed, 50, 1));
            var forward = new TaskPlan[50, 4];
            for (var client = 0; client < 50; client++)
            {
                for (var task = 0; task < 4; task++)
                {
                    forward[client, task] = one.Plan(client, task, OneEpoch, 40, 1000, 1000, 5);
                }
            }

            for (var task = 3; task >= 0; task--)
            {
                for (var client = 49; client >= 0; client--)
                {
                    Assert.Equal(forward[client, task], other.Plan(client, task, OneEpoch, 40, 1000, 1000, 5));
                }
            }
        }

        [Fact]
        public void Of_a_task_does_not_depend_on_when_it_begins()
        {
            var fleet = new Fleet(Mixed, 50, 1);
            for (var client = 0; client < 50; client++)
            {
                var (early, late) = (fleet.Plan(client, 3, OneEpoch, 40, 1000, 1000, 0), fleet.Plan(client, 3, OneEpoch, 40, 1000, 1000, 1024));
                Assert.Equal(early.End, late.End - 1024, 1e-6);
                Assert.Equal(early with { End = 0 }, late with { End = 0 });
            }
        }

        [Fact]
        public void Differs_between_clients_tasks_and_seeds()
        {
            var fleet = new Fleet(Mixed, 50, 1);
            var plan = fleet.Plan(0, 0, OneEpoch, 40, 1000, 1000, 0);
            Assert.NotEqual(plan.Train, fleet.Plan(1, 0, OneEpoch, 40, 1000, 1000, 0).Train);
            Assert.NotEqual(plan.Train, fleet.Plan(0, 1, OneEpoch, 40, 1000, 1000, 0).Train);
            Assert.NotEqual(plan.Train, new Fleet(Mixed, 50, 2).Plan(0, 0, OneEpoch, 40, 1000, 1000, 0).Train);
        }

        [Fact]
        public void Of_one_knob_does_not_shift_the_draws_of_another()
        {
            var fleet = new Fleet(Mixed, 50, 1);
            var other = new Fleet(Mixed with { Completeness = new FullCompleteness(), Connectivity = new InstantConnectivity() }, 50, 1);
            var (plan, without) = (fleet.Plan(3, 2, OneEpoch, 40, 0, 0, 0), other.Plan(3, 2, OneEpoch, 40, 0, 0, 0));
            Assert.Equal(without.Train / without.Steps, plan.Train / plan.Steps, 12);
        }

        [Fact]
        public void Adds_up_download_training_and_upload()
        {
            var fleet = new Fleet(
                new ClientsOptions
                {
                    Connectivity = new ConstantConnectivity { DownloadBytesPerSecond = 1000, UploadBytesPerSecond = 500, LatencySeconds = 0.25 },
                    Responsiveness = new ConstantResponsiveness { Seconds = 0.5 },
                },
                1, 1);
            Assert.Equal(new TaskPlan(8, 2.25, 4, 4.25, TaskFate.Arrives, 110.5), fleet.Plan(0, 0, OneEpoch, 8, 2000, 2000, 100));
        }

        [Fact]
        public void Takes_the_drawn_seconds_for_the_whole_task_when_asked_so()
        {
            var fleet = new Fleet(new ClientsOptions { Responsiveness = new GroupsResponsiveness { Unit = DurationUnit.Task, Seconds = [105, 205, 405] } }, 16, 1);
            var seconds = Enumerable.Range(0, 16).Select(c => fleet.Plan(c, 0, OneEpoch, 7, 0, 0, 0).Train).CountBy(s => s).ToDictionary();
            Assert.Equal(new Dictionary<double, int> { [105] = 6, [205] = 5, [405] = 5 }, seconds);
        }

        [Fact]
        public void Reads_a_table_task_by_task_and_repeats_the_last_value()
        {
            var fleet = new Fleet(new ClientsOptions { Responsiveness = new TableResponsiveness { Rows = [[1, 2, 3], [4]] } }, 2, 1);
            Assert.Equal([1, 2, 3, 3, 3], Enumerable.Range(0, 5).Select(task => fleet.Plan(0, task, OneEpoch, 1, 0, 0, 0).Train));
            Assert.Equal([4, 4], Enumerable.Range(0, 2).Select(task => fleet.Plan(1, task, OneEpoch, 1, 0, 0, 0).Train));
        }

        [Fact]
        public void Leaves_the_steps_to_the_client_when_the_work_is_its_choice()
        {
            var fleet = new Fleet(new ClientsOptions { Effort = new EffortOptions { MinimumSteps = 2, MaximumSteps = 5 } }, 1, 1);
            var steps = Enumerable.Range(0, 200).Select(task => fleet.Plan(0, task, LocalWork.ClientsChoice, 0, 0, 0, 0).Steps).Distinct().Order();
            Assert.Equal([2, 3, 4, 5], steps);
        }

        [Fact]
        public void Ends_with_the_window_when_clients_leave_with_it()
        {
            ClientsOptions Options(Leaving leaving) => new()
            {
                Availability = new DutyCycleAvailability { PeriodSeconds = 100, OnlineShare = 0.5, Together = true, WhenLeaving = leaving },
                Responsiveness = new ConstantResponsiveness { Unit = DurationUnit.Task, Seconds = 30 },
            };
            TaskPlan At(Leaving leaving, double now) => new Fleet(Options(leaving), 1, 1).Plan(0, 0, OneEpoch, 1, 0, 0, now);

            Assert.Equal((TaskFate.Arrives, 40), (At(Leaving.Vanish, 10).Fate, At(Leaving.Vanish, 10).End));
            Assert.Equal((TaskFate.Arrives, 60), (At(Leaving.Finish, 30).Fate, At(Leaving.Finish, 30).End));
            Assert.Equal((TaskFate.Fails, 50), (At(Leaving.Fail, 30).Fate, At(Leaving.Fail, 30).End));
            Assert.Equal((TaskFate.Vanishes, 50), (At(Leaving.Vanish, 30).Fate, At(Leaving.Vanish, 30).End));
        }

        [Fact]
        public void Drops_out_as_often_as_asked()
        {
            // 10,000 tasks with probability 0.2: standard deviation 0.004; five of them, false alarm below 6e-7; the seed is fixed.
            var fleet = new Fleet(new ClientsOptions { Connectivity = new InstantConnectivity { Dropout = 0.2 } }, 10_000, 1);
            var dropped = Enumerable.Range(0, 10_000).Count(c => fleet.Plan(c, 0, OneEpoch, 10, 0, 0, 0).Fate == TaskFate.Fails);
            Assert.InRange(dropped / 10_000.0, 0.18, 0.22);
        }
    }

    public sealed class Stragglers
    {
        [Fact]
        public void Do_a_whole_number_of_epochs_below_the_number_asked()
        {
            // FedProx: randint(1, E), upper end exclusive.
            var fleet = new Fleet(new ClientsOptions { Completeness = new StragglersCompleteness { Share = 1 } }, 1, 1);
            var steps = Enumerable.Range(0, 500).Select(task => fleet.Plan(0, task, LocalWork.OfEpochs(5), 50, 0, 0, 0).Steps).Distinct().Order();
            Assert.Equal([10, 20, 30, 40], steps);
        }

        [Fact]
        public void Are_the_share_asked()
        {
            // 10,000 tasks with probability 0.9: standard deviation 0.003; five of them, false alarm below 6e-7; the seed is fixed.
            var fleet = new Fleet(new ClientsOptions { Completeness = new StragglersCompleteness { Share = 0.9 } }, 1, 1);
            var stragglers = Enumerable.Range(0, 10_000).Count(task => fleet.Plan(0, task, LocalWork.OfEpochs(20), 200, 0, 0, 0).Steps < 200);
            Assert.InRange(stragglers / 10_000.0, 0.885, 0.915);
        }
    }

    public sealed class Responsiveness
    {
        /// <summary>Kinds with their mean; 20,000 draws, six standard errors: false alarm below 2e-9 each (for the heavy tails: the seed is fixed).</summary>
        public static TheoryData<ResponsivenessOptions, double, double> Means => new()
        {
            { new NormalResponsiveness { Mean = 1, Deviation = 0.1, Minimum = 0 }, 1, 0.1 },
            { new LogNormalResponsiveness { Median = 1, Sigma = 0.5 }, Math.Exp(0.125), 0.604 },
            { new ExponentialResponsiveness { Mean = 2 }, 2, 2 },
            { new HalfNormalResponsiveness { Deviation = 1 }, 0.79788456, 0.603 },
            { new UniformResponsiveness { Minimum = 1, Maximum = 3 }, 2, 0.577 },
            { new ParetoResponsiveness { Minimum = 1, Shape = 3, Maximum = 0 }, 1.5, 0.866 },
        };

        [Theory]
        [MemberData(nameof(Means))]
        public void Has_the_mean_of_its_distribution(ResponsivenessOptions options, double mean, double deviation)
        {
            const int draws = 20_000;
            var drawn = Enumerable.Range(0, draws).Average(client => options.SecondsFor(1, client, 0));
            Assert.InRange(drawn, mean - (6 * deviation / Math.Sqrt(draws)), mean + (6 * deviation / Math.Sqrt(draws)));
        }

        [Fact]
        public void Is_drawn_once_per_client_or_anew_per_task()
        {
            var perClient = new ExponentialResponsiveness { Per = DrawScope.Client };
            var perTask = new ExponentialResponsiveness { Per = DrawScope.Task };
            Assert.Equal(perClient.SecondsFor(1, 4, 0), perClient.SecondsFor(1, 4, 9));
            Assert.NotEqual(perTask.SecondsFor(1, 4, 0), perTask.SecondsFor(1, 4, 9));
        }
    }

    public sealed class Refuses
    {
        [Fact]
        public void To_be_empty() =>
            Assert.Contains("at least one client", Assert.Throws<SimulationException>(() => new Fleet(new ClientsOptions(), 0, 1)).Message, StringComparison.Ordinal);

        [Fact]
        public void A_table_with_too_few_rows()
        {
            var options = new ClientsOptions { Responsiveness = new TableResponsiveness { Rows = [[1], [2]] } };
            Assert.Contains("2 rows and 3 clients", Assert.Throws<SimulationException>(() => new Fleet(options, 3, 1)).Message, StringComparison.Ordinal);
        }
    }
}
