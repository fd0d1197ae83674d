using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Runs;

public sealed partial class RunMachineTests
{
    private static readonly UpdateReport Good = new() { Examples = 10, LocalSteps = 5 };

    /// <summary>A machine with its effects, fed by hand.</summary>
    private sealed class Hand
    {
        private readonly List<RunEffect> effects = [];

        public Hand(RunOptions options, IScheduler? scheduler = null, int clients = 4)
        {
            Machine = new RunMachine(options, scheduler ?? Buffered(concurrency: 2, goal: 1));
            Post(new RunStarted(0));
            for (var i = 0; i < clients; i++)
            {
                Post(new ClientJoined(0, new ClientId(i), 10));
            }
        }

        public RunMachine Machine { get; }

        /// <summary>Posts the event and, as a host does, every deadline that it arms for this very instant.</summary>
        public List<RunEffect> Post(RunEvent e)
        {
            effects.Clear();
            Machine.Handle(e, effects);
            for (var i = 0; i < effects.Count; i++)
            {
                if (effects[i] is ArmDeadline arm && arm.Time <= e.Time)
                {
                    Machine.Handle(new DeadlinePassed(e.Time, arm.Deadline), effects);
                }
            }

            return [.. effects];
        }

        public Assignment CheckIn(double time, int client) =>
            Post(new CheckIn(time, new ClientId(client))).OfType<Dispatch>().Single().Assignment;

        public List<RunEffect> Arrive(double time, Assignment assignment, UpdateReport? report = null, bool ready = false) =>
            Post(new UpdateArrived(time, assignment.Id, assignment.Client, report ?? Good, ready));
    }

    private static BufferedScheduler Buffered(int concurrency, int goal) => new(
        new BufferedOptions { Concurrency = concurrency, AggregationGoal = goal }, new FixedWork(LocalWork.OfSteps(5)), UpdateWeight.Equal);

    private static RunOptions Until(int versions) => new() { Stop = new StopOptions { Versions = versions } };

    public sealed class Arrivals
    {
        [Fact]
        public void ARepeatedUpdateIsAnsweredAsADuplicateAndCountsOnce()
        {
            var hand = new Hand(Until(10));
            var assignment = hand.CheckIn(1, 0);
            hand.Arrive(2, assignment);
            var rejected = Assert.IsType<Rejected>(Assert.Single(hand.Arrive(3, assignment)));
            Assert.Equal(Rejection.Duplicate, rejected.Reason);
            Assert.Null(rejected.Assignment);
            Assert.Equal((1, 1, 1), (hand.Machine.Counters.Accepted, hand.Machine.Counters.Ignored, hand.Machine.Version));
        }

        [Fact]
        public void SomebodyElsesAssignmentIsRefusedAndStaysInFlight()
        {
            var hand = new Hand(Until(10));
            var assignment = hand.CheckIn(1, 0);
            var rejected = Assert.IsType<Rejected>(Assert.Single(hand.Arrive(2, assignment with { Client = new ClientId(3) })));
            Assert.Equal(Rejection.NotYours, rejected.Reason);
            Assert.Equal(1, hand.Machine.Counters.InFlight);
        }

        [Fact]
        public void AnAssignmentThatWasNeverGivenOutIsUnknown()
        {
            var hand = new Hand(Until(10));
            var rejected = Assert.IsType<Rejected>(Assert.Single(hand.Post(new UpdateArrived(1, new AssignmentId(99), new ClientId(0), Good, false))));
            Assert.Equal(Rejection.Unknown, rejected.Reason);
        }

        [Fact]
        public void AnUpdateAfterItsLeaseIsTooLate()
        {
            var hand = new Hand(Until(10) with { ClientTimeout = 5 });
            var assignment = hand.CheckIn(1, 0);
            Assert.Equal(6, assignment.Deadline);
            var lost = hand.Post(new DeadlinePassed(6, new Deadline(DeadlineKind.Assignment, assignment.Id.Value))).OfType<Lost>().Single();
            Assert.Equal(LossReason.DeadlinePassed, lost.Reason);
            Assert.Equal(Rejection.TooLate, hand.Arrive(7, assignment).OfType<Rejected>().Single().Reason);
            Assert.Equal((1, 0), (hand.Machine.Counters.Lost, hand.Machine.Counters.Rejected));
        }

        [Fact]
        public void AStaleUpdateIsRejectedWithBothNumbers()
        {
            var hand = new Hand(Until(10) with { MaxStaleness = 1 }, Buffered(3, 1));
            var slow = hand.CheckIn(1, 0);
            for (var i = 1; i <= 2; i++)
            {
                hand.Arrive(1 + i, hand.CheckIn(1 + i, i));
            }

            var rejected = hand.Arrive(9, slow).OfType<Rejected>().Single();
            Assert.Equal((Rejection.Stale, "Staleness 2 is above the bound 1."), (rejected.Reason, rejected.Detail));
        }

        [Fact]
        public void WorkIsCalledBackOnceItIsStalerThanTheBoundAndNotBefore()
        {
            var hand = new Hand(Until(10) with { MaxStaleness = 1, OnStale = StalenessPolicy.Abort }, Buffered(3, 1));
            var (first, second, third) = (hand.CheckIn(1, 0), hand.CheckIn(1, 1), hand.CheckIn(1, 2));
            Assert.Empty(hand.Arrive(2, third).OfType<Rejected>());
            Assert.Equal(first, hand.Arrive(3, second).OfType<Rejected>().Single().Assignment);
        }

        [Fact]
        public void ALeaseDoesNotEndBeforeItsTime()
        {
            var hand = new Hand(Until(10) with { ClientTimeout = 5 });
            var lease = hand.CheckIn(1, 0);
            var deadline = new Deadline(DeadlineKind.Assignment, lease.Id.Value);
            Assert.Empty(hand.Post(new DeadlinePassed(5.9, deadline)));
            Assert.Equal(lease, hand.Post(new DeadlinePassed(6, deadline)).OfType<Lost>().Single().Assignment);
        }

        [Fact]
        public void NobodyGivesUpAnothersAssignment()
        {
            var hand = new Hand(Until(10));
            var lease = hand.CheckIn(1, 0);
            Assert.Empty(hand.Post(new AssignmentFailed(2, lease.Id, new ClientId(3), "no battery")));
            Assert.Equal((0, 1), (hand.Machine.Counters.Lost, hand.Machine.Counters.Ignored));
            Assert.Equal(lease, hand.Machine.Find(lease.Id));
        }

        [Fact]
        public void AClientsSpeedIsItsLastTaskAndWhatWasBeforeInEqualParts()
        {
            var hand = new Hand(Until(10));
            hand.Arrive(6, hand.CheckIn(1, 0)); // 1 s a step.
            hand.Arrive(21, hand.CheckIn(6, 0)); // 3 s a step.
            Assert.Equal(2, hand.Machine.Facts(new ClientId(0)).SecondsPerStep);
        }

        [Fact]
        public void ARoundIsNotEndedByTheDeadlineOfTheOneBefore()
        {
            var hand = new Hand(Until(10), new SynchronousScheduler(
                new SynchronousOptions { Cohort = 2, RoundDeadline = 10, MinimumReports = 1 }, new FixedWork(LocalWork.OfSteps(5)), UpdateWeight.Equal));
            var (first, leases) = Open(1);
            hand.Arrive(2, leases[0]);
            hand.Arrive(2, leases[1]);
            var (second, next) = Open(3);
            hand.Arrive(4, next[0]);
            hand.Post(new DeadlinePassed(11, first));
            Assert.Equal(1, hand.Machine.Version);
            hand.Post(new DeadlinePassed(13, second));
            Assert.Equal(2, hand.Machine.Version);

            (Deadline End, List<Assignment> Leases) Open(double time)
            {
                hand.Post(new CheckIn(time, new ClientId(0)));
                var effects = hand.Post(new CheckIn(time, new ClientId(1)));
                return (effects.OfType<ArmDeadline>().Single(arm => arm.Time == time + 10).Deadline, [.. effects.OfType<Dispatch>().Select(d => d.Assignment)]);
            }
        }

        [Theory]
        [InlineData(0)]
        [InlineData(1)]
        [InlineData(3)]
        public void TheLastVersionIsEvaluatedOnce(int every)
        {
            var hand = new Hand(Until(1) with { EvaluateEvery = every });
            Assert.Equal([1], hand.Arrive(2, hand.CheckIn(1, 0)).OfType<RequestEvaluation>().Select(e => e.Version));
        }

        [Fact]
        public void StaleWorkIsCalledBackWhenThePolicySaysSo()
        {
            var hand = new Hand(Until(10) with { MaxStaleness = 0, OnStale = StalenessPolicy.Abort });
            var slow = hand.CheckIn(1, 0);
            var effects = hand.Arrive(3, hand.CheckIn(2, 1));
            Assert.Equal(slow, effects.OfType<Cancel>().Single().Assignment);
            Assert.Equal(Rejection.Stale, effects.OfType<Rejected>().Single().Reason);
        }

        [Theory]
        [InlineData(double.NaN, 5)]
        [InlineData(-1, 5)]
        [InlineData(10, 0)]
        public void AReportThatContradictsItselfIsMalformed(double examples, int steps)
        {
            var hand = new Hand(Until(10));
            var effects = hand.Arrive(2, hand.CheckIn(1, 0), new UpdateReport { Examples = examples, LocalSteps = steps });
            Assert.Equal(Rejection.Malformed, effects.OfType<Rejected>().Single().Reason);
        }

        [Fact]
        public void AClientThatForgotItsLeaseIsGivenItAgain()
        {
            var hand = new Hand(Until(10));
            Assert.Equal(hand.CheckIn(1, 0), hand.CheckIn(2, 0));
            Assert.Equal(1, hand.Machine.Counters.Dispatched);
        }
    }

    public sealed class Endings
    {
        [Fact]
        public void AtTheLastVersionWhatIsInFlightIsLostAndTheLastVersionEvaluated()
        {
            var hand = new Hand(Until(1) with { EvaluateEvery = 0 });
            var (first, other) = (hand.CheckIn(1, 0), hand.CheckIn(1, 1));
            var effects = hand.Arrive(2, first, ready: true);
            Assert.Equal(FinishReason.Versions, effects.OfType<Finish>().Single().Reason);
            Assert.Equal((other, LossReason.RunOver), effects.OfType<Lost>().Select(l => (l.Assignment, l.Reason)).Single());
            Assert.Equal(1, effects.OfType<RequestEvaluation>().Single().Version);
            Assert.Empty(effects.OfType<Dispatch>());
            Assert.Equal(Rejection.RunOver, hand.Arrive(3, other).OfType<Rejected>().Single().Reason);
        }

        [Fact]
        public void AtTheTimeLimit()
        {
            var hand = new Hand(new RunOptions { Stop = new StopOptions { Seconds = 60 } });
            Assert.Equal(FinishReason.Time, hand.Post(new DeadlinePassed(60, new Deadline(DeadlineKind.Run, 0))).OfType<Finish>().Single().Reason);
        }

        [Fact]
        public void AtTheTargetAccuracyButNotBefore()
        {
            var hand = new Hand(new RunOptions { Stop = new StopOptions { Versions = 100, TargetAccuracy = 0.9 } });
            Assert.Empty(hand.Post(new EvaluationArrived(1, 0, 0.89, 1)).OfType<Finish>());
            Assert.Equal(FinishReason.TargetReached, hand.Post(new EvaluationArrived(2, 1, 0.9, 1)).OfType<Finish>().Single().Reason);
        }

        [Fact]
        public void WhenNothingGetsBetterForAsLongAsPatienceLasts()
        {
            var hand = new Hand(new RunOptions { Stop = new StopOptions { Versions = 100, Patience = 2 } });
            double[] accuracies = [0.5, 0.6, 0.6, 0.59];
            var reasons = accuracies.Select((a, i) => hand.Post(new EvaluationArrived(i, i, a, 1)).OfType<Finish>().SingleOrDefault()?.Reason).ToList();
            Assert.Equal([null, null, null, FinishReason.NoImprovement], reasons);
            Assert.Equal(1, hand.Machine.BestVersion);
        }

        [Fact]
        public void WhenTheLossIsNotFinite()
        {
            var hand = new Hand(Until(100));
            Assert.Equal(FinishReason.Diverged, hand.Post(new EvaluationArrived(1, 0, 0.1, double.NaN)).OfType<Finish>().Single().Reason);
        }

        [Theory]
        [InlineData(2.3, 229, false)]
        [InlineData(2.3, 231, true)]
        [InlineData(0.01, 99, false)] // A trained model may get worse: the bound is never below 100.
        [InlineData(0.01, 101, true)]
        public void WhenTheLossIsFarAboveTheFirst(double first, double then, bool diverges)
        {
            var hand = new Hand(Until(100));
            Assert.Empty(hand.Post(new EvaluationArrived(1, 0, 0.1, first)).OfType<Finish>());
            Assert.Equal(diverges, hand.Post(new EvaluationArrived(2, 1, 0.1, then)).OfType<Finish>().Any(f => f.Reason == FinishReason.Diverged));
        }

        [Fact]
        public void NotWhenALargeLossIsAllowed()
        {
            var hand = new Hand(Until(100) with { DivergenceFactor = 0 });
            hand.Post(new EvaluationArrived(1, 0, 0.1, 1));
            Assert.Empty(hand.Post(new EvaluationArrived(2, 1, 0.1, 1e30)).OfType<Finish>());
        }

        [Fact]
        public void WhenUpdatesKeepComingBackNotFinite()
        {
            var hand = new Hand(Until(100) with { DivergenceLimit = 3 });
            for (var i = 0; i < 3; i++)
            {
                var effects = hand.Arrive(2 + i, hand.CheckIn(1 + i, i), Good with { IsFinite = false });
                Assert.Equal(i == 2, effects.OfType<Finish>().Any(f => f.Reason == FinishReason.Diverged));
            }

            Assert.Equal((3, 0), (hand.Machine.Counters.Rejected, hand.Machine.Version));
        }
    }

    public sealed class SynchronousRounds
    {
        [Fact]
        public void OverSelectionDiscardsWhatComesAfterTheCohort()
        {
            var hand = new Hand(
                Until(5),
                new SynchronousScheduler(new SynchronousOptions { Cohort = 2, OverSelection = 0.5 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
            hand.Post(new CheckIn(1, new ClientId(0)));
            hand.Post(new CheckIn(1, new ClientId(1)));
            var cohort = hand.Post(new CheckIn(1, new ClientId(2))).OfType<Dispatch>().Select(d => d.Assignment).ToList();
            Assert.Equal(3, cohort.Count);
            hand.Arrive(2, cohort[0]);
            var effects = hand.Arrive(3, cohort[1]);
            Assert.Equal(Rejection.RoundClosed, effects.OfType<Rejected>().Single(r => r.Id == cohort[2].Id).Reason);
            Assert.Equal(2, effects.OfType<Publish>().Single().Count);
        }

        [Fact]
        public void TheDeadlineClosesARoundThatHasItsMinimum()
        {
            var hand = new Hand(
                Until(5),
                new SynchronousScheduler(
                    new SynchronousOptions { Cohort = 3, RoundDeadline = 10, MinimumReports = 1 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
            hand.Post(new CheckIn(1, new ClientId(0)));
            hand.Post(new CheckIn(1, new ClientId(1)));
            var opening = hand.Post(new CheckIn(1, new ClientId(2)));
            var cohort = opening.OfType<Dispatch>().Select(d => d.Assignment).ToList();
            var end = opening.OfType<ArmDeadline>().Single(a => a.Time == 11);
            Assert.Empty(hand.Arrive(2, cohort[0]).OfType<Publish>());
            Assert.Equal(1, hand.Post(new DeadlinePassed(11, end.Deadline)).OfType<Publish>().Single().Count);
        }

        [Fact]
        public void AMemberThatFailsIsReplacedWhenTheRoundCannotBeCompletedWithoutIt()
        {
            var hand = new Hand(
                Until(5), new SynchronousScheduler(new SynchronousOptions { Cohort = 2 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
            hand.Post(new CheckIn(1, new ClientId(0)));
            var cohort = hand.Post(new CheckIn(1, new ClientId(1))).OfType<Dispatch>().Select(d => d.Assignment).ToList();
            hand.Post(new CheckIn(2, new ClientId(2)));
            var replacement = hand.Post(new AssignmentFailed(3, cohort[0].Id, cohort[0].Client, "battery")).OfType<Dispatch>().Single();
            Assert.Equal(new ClientId(2), replacement.Assignment.Client);
        }
    }
}
