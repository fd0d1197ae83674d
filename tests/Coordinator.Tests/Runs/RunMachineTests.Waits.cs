using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Runs;

/// <content>Who waits, and why.</content>
public sealed partial class RunMachineTests
{
    public sealed class Waits
    {
        [Fact]
        public void ACohortThatLacksClientsSaysHowMany()
        {
            var hand = new Hand(Until(5), new SynchronousScheduler(new SynchronousOptions { Cohort = 3 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
            Assert.Equal("waiting for 2 of 3 clients to check in", hand.Post(new CheckIn(1, new ClientId(0))).OfType<Wait>().Single().Reason.ToString());
        }

        [Fact]
        public void ARoundWithADeadlineSaysUntilWhen()
        {
            var hand = new Hand(
                Until(5),
                new SynchronousScheduler(new SynchronousOptions { Cohort = 2, RoundDeadline = 30 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
            hand.Post(new CheckIn(1, new ClientId(0)));
            hand.Post(new CheckIn(2, new ClientId(1)));
            Assert.Equal(
                "waiting for 2 of 2 updates of the open round, until 32 s",
                hand.Post(new CheckIn(3, new ClientId(2))).OfType<Wait>().Single().Reason.ToString());
        }

        [Fact]
        public void ARestedClientIsGivenWorkWhenItsCoolDownIsOver()
        {
            var hand = new Hand(Until(50) with { CoolDown = 10 });
            hand.Arrive(2, hand.CheckIn(1, 0));
            Assert.Equal("this client took part recently and rests, until 11 s", hand.Post(new CheckIn(3, new ClientId(0))).OfType<Wait>().Single().Reason.ToString());
            Assert.Single(hand.Post(new DeadlinePassed(11, new Deadline(DeadlineKind.CoolDown, 0))).OfType<Dispatch>());
        }

        [Fact]
        public void APausedRunHandsOutNothingUntilItIsResumed()
        {
            var hand = new Hand(Until(50));
            hand.Post(new OperatorCommand(1, OperatorAction.Pause, "maintenance"));
            Assert.Equal("the run is paused", hand.Post(new CheckIn(2, new ClientId(0))).OfType<Wait>().Single().Reason.ToString());
            Assert.Single(hand.Post(new OperatorCommand(3, OperatorAction.Resume, "done")).OfType<Dispatch>());
        }
    }
}
