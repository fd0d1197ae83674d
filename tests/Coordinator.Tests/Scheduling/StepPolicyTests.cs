using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Scheduling;

public sealed class StepPolicyTests
{
    public sealed class Qsr
    {
        /// <summary>α = 0.0175, H_base = 4; computed independently (reference/algorithms.md, H1).</summary>
        [Theory]
        [InlineData(0.008, 4)]
        [InlineData(0.004, 19)]
        [InlineData(0.002, 76)]
        [InlineData(0.001, 306)]
        [InlineData(0.0005, 1225)]
        [InlineData(0.00025, 4900)]
        public void GivesTheGoldenSteps(double learningRate, int steps) =>
            Assert.Equal(steps, new QuadraticSynchronization(4, 0.0175, _ => learningRate).Steps(learningRate));

        [Fact]
        public void NeverGivesFewerStepsAsTheLearningRateFalls()
        {
            var policy = new QuadraticSynchronization(4, 0.0175, _ => 1);
            var steps = Enumerable.Range(1, 200).Select(i => policy.Steps(0.02 / i)).ToList();
            Assert.Equal(steps.Order(), steps);
        }
    }

    public sealed class DyLU
    {
        [Fact]
        public void GivesStepsInProportionToMeasuredSpeedAndAtLeastOne()
        {
            // Three clients, 1, 2 and 300 seconds per step: H = 50 gives 50, 25 and 1 step.
            double[] secondsPerStep = [1, 2, 300];
            var effects = new List<RunEffect>();
            var machine = new RunMachine(
                new RunOptions { Stop = new StopOptions { Versions = 100 } },
                new BufferedScheduler(new BufferedOptions { Concurrency = 3, AggregationGoal = 3 }, new DynamicLocalUpdates(50), UpdateWeight.Equal));
            machine.Handle(new RunStarted(0), effects);
            for (var i = 0; i < 3; i++)
            {
                machine.Handle(new ClientJoined(0, new ClientId(i), 10), effects);
                machine.Handle(new CheckIn(0, new ClientId(i)), effects);
            }

            machine.Handle(new DeadlinePassed(0, new Deadline(DeadlineKind.Scheduler, 0)), effects);
            var first = machine.Assignments.OrderBy(a => a.Client).ToList();
            Assert.Equal([50, 50, 50], first.Select(a => a.Work.Steps)); // Not measured yet.
            foreach (var assignment in first)
            {
                var seconds = secondsPerStep[assignment.Client.Value] * 50;
                machine.Handle(
                    new UpdateArrived(seconds, assignment.Id, assignment.Client, new UpdateReport { Examples = 10, LocalSteps = 50 }, Ready: false), effects);
            }

            var late = effects.Count;
            for (var i = 0; i < 3; i++)
            {
                machine.Handle(new CheckIn(20_000, new ClientId(i)), effects);
            }

            machine.Handle(new DeadlinePassed(20_000, new Deadline(DeadlineKind.Scheduler, 0)), effects);
            var steps = effects.Skip(late).OfType<Dispatch>().OrderBy(d => d.Assignment.Client).Select(d => d.Assignment.Work.Steps);
            Assert.Equal([50, 25, 1], steps);
        }
    }
}
