using System.Text.Json;
using Federated.Aggregation;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Client.Participation;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Tests.Fakes;
using Federated.Client.Transport;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Session;

public abstract class SessionFixture : IDisposable
{
    private protected SessionFixture()
    {
        Time = new VirtualTime();
        Coordinator = new FakeCoordinator(Time);
        Cache = new MemoryModelCache(1 << 20);
        Store = new MemoryClientStore(Cache);
        Trainer = new CountingTrainer();
        Driver = new SessionDriver(Time, Coordinator, Store, Trainer);
    }

    private protected VirtualTime Time { get; }

    private protected FakeCoordinator Coordinator { get; }

    private protected MemoryModelCache Cache { get; }

    private protected MemoryClientStore Store { get; }

    private protected CountingTrainer Trainer { get; }

    private protected SessionDriver Driver { get; }

    public void Dispose()
    {
        Cache.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Each accepted assignment was counted once, and the client remembers exactly those.</summary>
    private protected void RequireExactlyOnce()
    {
        Assert.Equal(Coordinator.Target, Coordinator.Accepted.Count);
        Assert.All(Coordinator.Accepted.Values, count => Assert.Equal(1, count));
        var deltas = Coordinator.Accepted.Keys.Order().Select(id => Coordinator.Vector(Coordinator.Declarations[id].Delta)[0]);
        Assert.Equal(Enumerable.Range(1, Coordinator.Target).Select(i => (float)i), deltas);
    }
}

public static partial class SessionTests
{
    public sealed class AnUndisturbedRun : SessionFixture
    {
        [Fact]
        public void GoesFromEnrolmentToTheRunsEnd()
        {
            var summary = Driver.Run();
            Assert.Equal(new SessionSummary("done", 3, 3, 0, 0), summary);
            RequireExactlyOnce();
            Assert.Equal(1, Coordinator.Requests["enrol"]);
            Assert.Equal(1, Coordinator.Requests["check-in"]); // The rest came with the outcomes.
        }

        [Fact]
        public void GivesTheTrainerWhatTheAssignmentSays()
        {
            Coordinator.HasExtras = true;
            Driver.Run();
            var task = Trainer.Tasks[1];
            Assert.Equal((1L, 1, 1001UL, LocalWork.OfEpochs(1)), (task.Assignment, task.BaseVersion, task.Seed, task.Work));
            Assert.Equal([1f, 1, 2, 3], task.Model.ToArray());
            Assert.Equal([5f, 6, 7, 1], task.FromServer["control"].ToArray());
            var declaration = Coordinator.Declarations[1];
            Assert.Equal([-5f, -6, -7, -1], Coordinator.Vector(declaration.Extras["change"]));
            Assert.Equal((5.0, 3, 3.0, (double?)0.5), (declaration.Examples, declaration.LocalSteps, declaration.StepWeight, declaration.TrainingLoss));
        }

        [Fact]
        public void FetchesEachModelOnceForAsLongAsItIsCached()
        {
            Coordinator.Script.Add(new CheckInReply { Evaluation = new EvaluationMessage(0, Coordinator.StoreVector(0, 1, 2, 3), default) });
            Driver.Run();
            Assert.Equal(3, Coordinator.Requests["download"]); // Version 0 was there for training.
            Assert.Equal(new EvaluationReport(5, 0.8, 0.4), Assert.Single(Coordinator.Evaluations));
        }

        [Fact]
        public void EncodesWithTheRunsCodecAndCarriesItsErrorOver()
        {
            Coordinator.Codec = UpdateCodecs.TopK;
            Driver.Run();
            var options = new CompressionOptions { Codec = new TopKOptions { Ratio = 0.5 }, Feedback = new ErrorFeedbackOptions() };
            var encoder = UpdateCodecs.CreateEncoder<float>(options, 4);
            for (var id = 0; id < 3; id++)
            {
                var expected = new System.Buffers.ArrayBufferWriter<byte>();
                encoder.EncodeTask<float>(Enumerable.Repeat(id + 1f, 4).ToArray(), (ulong)(1000 + id), expected);
                encoder.Commit();
                Assert.Equal(expected.WrittenSpan.ToArray(), Coordinator.Blob(Coordinator.Declarations[id].Delta));
            }
        }

        [Fact]
        public void SendsLargeUpdatesInPieces()
        {
            Driver.Options = Driver.Options with { EnvelopeBytes = 10, ChunkBytes = 7 };
            Driver.Run();
            RequireExactlyOnce();
            Assert.True(Coordinator.Requests["append"] > 10);
            Assert.False(Coordinator.Requests.ContainsKey("send"));
        }

        [Fact]
        public void ClipsBeforeAnythingLeavesTheDevice()
        {
            Coordinator.Privacy = new ProtectionMessage(ProtectionMessage.Clip, 1, null, null).ToJson();
            Driver.Run();
            Assert.Equal(Coordinator.Target, Coordinator.Declarations.Count);
            Assert.All(Coordinator.Declarations.Values, d => Assert.InRange(Coordinator.Vector(d.Delta).Sum(v => v * v), 0.99f, 1f));
        }

        [Fact]
        public void RandomisesWhereThePolicySaysSo()
        {
            Coordinator.Privacy = new ProtectionMessage(ProtectionMessage.Randomize, 1, "privunitg", 4).ToJson();
            Driver.Options = Driver.Options with { Participation = new PoissonArrivals(60, new Aggregation.Randomness.SeededRandom(3)) }; // It checks in each time.
            Driver.Run();
            Assert.All(Coordinator.Declarations.Values, d => Assert.Equal((0, (double?)null), (d.Examples, d.TrainingLoss)));
            Assert.Equal([5, 0, 0, 0], Coordinator.ExamplesTold);
            var reports = Coordinator.Declarations.Values.Select(d => string.Join(',', Coordinator.Vector(d.Delta))).ToList();
            Assert.Equal(3, reports.Distinct().Count());
        }

        [Theory]
        [InlineData("""{"kind": "hope", "clipNorm": 1}""", "'hope'")]
        [InlineData("""{"kind": 1, "clipNorm": 1}""", "cannot be taken on this client")]
        [InlineData("""[]""", "cannot be taken on this client")]
        public void GivesWorkUpWhosePrivacyStepItDoesNotKnow(string step, string reason)
        {
            Coordinator.Privacy = JsonDocument.Parse(step).RootElement;
            var e = Assert.Throws<ClientException>(() => Driver.Run());
            Assert.Contains(reason, e.Message, StringComparison.Ordinal);
            Assert.Empty(Coordinator.Accepted);
            Assert.Equal(3, Coordinator.Failed.Count);
        }

        [Fact]
        public void EndsAfterAsManyUpdatesAsAsked()
        {
            Driver.Options = Driver.Options with { MaxUpdates = 2 };
            Assert.Equal(2, Driver.Run().Accepted);
            Assert.False(Coordinator.Declarations[1].Ready);
        }
    }

    public sealed class Waits : SessionFixture
    {
        [Fact]
        public void AreAsLongAsTheCoordinatorAsks()
        {
            Driver.Options = Driver.Options with { FirstPoll = TimeSpan.Zero };
            Coordinator.Script.Add(new CheckInReply { Wait = new WaitMessage("waiting for 4 of 10 clients to check in", 99) });
            Coordinator.Script.Add(new CheckInReply { Wait = new WaitMessage("waiting for 3 of 10 clients to check in", 20) });
            Driver.Run();
            Assert.InRange(Time.Seconds, 20, 22); // The first time it is asked again at once, in a poll that may last.
            Assert.Equal(["waiting for 4 of 10 clients to check in", "waiting for 3 of 10 clients to check in"], Driver.Events.OfType<Waiting>().Select(w => w.Reason));
        }

        [Fact]
        public void ArePoissonWhereThePolicyIs()
        {
            Driver.Options = Driver.Options with { Participation = new PoissonArrivals(60, new Aggregation.Randomness.SeededRandom(3)) };
            Coordinator.Target = 50;
            Driver.Run();
            Assert.Equal(50, Coordinator.Requests["check-in"] - 1);
            Assert.InRange(Time.Seconds / 51, 35, 90); // Mean 60 s; three standard deviations are 25 s.
        }

        [Fact]
        public void LeaveTheEffortToThePolicyWhereTheRunDoes()
        {
            Driver.Options = Driver.Options with { Participation = new CustomParticipation(_ => TimeSpan.Zero) { Effort = q => q.StepsPerEpoch * 7 } };
            Coordinator.Script.Add(new CheckInReply
            {
                Assignment = new AssignmentMessage(
                    99, 0, 0, 0, Coordinator.StoreVector(0, 0, 0, 0), new Dictionary<string, BlobReference>(),
                    JsonDocument.Parse("""{"batchSize": 2}""").RootElement, "safetensors", "18446744073709551615", 1),
            });
            Driver.Run();
            Assert.Equal(LocalWork.OfSteps(21), Trainer.Tasks[0].Work); // ⌈5/2⌉·7
            Assert.Equal(ulong.MaxValue, Trainer.Tasks[0].Seed);
        }
    }

    public sealed class LongWork : SessionFixture
    {
        [Fact]
        public void StopsWhenTheCoordinatorCancels()
        {
            Driver.TrainSeconds = 100;
            Coordinator.CancelAt = 40;
            Coordinator.LeaseSeconds = 300;
            var stopped = 0;
            Trainer.Before = (_, cancellation) =>
            {
                stopped += cancellation.IsCancellationRequested ? 1 : 0;
                Coordinator.CancelAt = double.PositiveInfinity;
            };
            Assert.Equal(1, Driver.Run().GivenUp);
            Assert.Equal(1, stopped);
            Assert.Empty(Coordinator.Failed); // It knows.
            RequireExactlyOnce();
        }

        [Fact]
        public void StopsWhenTheLeaseEnds()
        {
            Driver.TrainSeconds = 100;
            Coordinator.LeaseSeconds = 50;
            Trainer.Before = (_, _) => Driver.TrainSeconds = 10;
            Assert.Equal(new SessionSummary("done", 3, 3, 0, 1), Driver.Run());
            RequireExactlyOnce();
        }

        [Fact]
        public void IsHandedBackWhenTheDeviceIsWanted()
        {
            var isIdle = true;
            Driver.Options = Driver.Options with { Participation = new WhenIdle(() => isIdle, TimeSpan.FromSeconds(5)) };
            Driver.TrainSeconds = 60;
            Trainer.Before = (_, cancellation) =>
            {
                if (cancellation.IsCancellationRequested)
                {
                    (isIdle, Driver.TrainSeconds) = (true, 0);
                }
                else
                {
                    isIdle = false; // Too late for this one: it is done.
                    Driver.TrainSeconds = 0;
                }
            };
            isIdle = true;
            using var interruption = Time.CreateTimer(_ => isIdle = false, null, TimeSpan.FromSeconds(21), Timeout.InfiniteTimeSpan);
            using var back = Time.CreateTimer(_ => isIdle = true, null, TimeSpan.FromSeconds(200), Timeout.InfiniteTimeSpan);
            using var again = Time.CreateTimer(_ => isIdle = true, null, TimeSpan.FromSeconds(400), Timeout.InfiniteTimeSpan);
            using var last = Time.CreateTimer(_ => isIdle = true, null, TimeSpan.FromSeconds(600), Timeout.InfiniteTimeSpan);
            Driver.Run();
            Assert.Equal("the device is wanted back", Coordinator.Failed[0]);
            RequireExactlyOnce();
        }

        [Fact]
        public void IsHandedBackWhenTheAppStops()
        {
            using var stop = new CancellationTokenSource();
            Trainer.Before = (task, _) => stop.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(() => Driver.Run(stop.Token));
            Assert.Equal("the client was stopped", Coordinator.Failed[0]);
        }

        [Fact]
        public void OutlivesATrainerThatFailsNowAndThen()
        {
            Trainer.Before = (task, _) =>
            {
                if (task.Assignment % 3 == 0)
                {
                    throw new InvalidOperationException("out of memory");
                }
            };
            Assert.Equal(2, Driver.Run().GivenUp);
            Assert.Equal("the trainer failed: out of memory", Coordinator.Failed[0]);
            RequireExactlyOnce();
        }

        [Fact]
        public void EndsWithATrainerThatAlwaysFails()
        {
            Trainer.Before = (_, _) => throw new InvalidOperationException("no data");
            var e = Assert.Throws<ClientException>(() => Driver.Run());
            Assert.Contains("no data", e.Message, StringComparison.Ordinal);
            Assert.Equal(3, Coordinator.Failed.Count);
        }

        [Fact]
        public void GoesOnAfterAnHourAsleep()
        {
            // Asleep, nothing answers, the token and the lease run out.
            Coordinator.LeaseSeconds = 600;
            Coordinator.Faults = (_, _) => Time.Seconds is > 100 and < 3700 ? Fault.Silence : Fault.None;
            Driver.TrainSeconds = 150;
            Trainer.Before = (_, _) => Driver.TrainSeconds = Time.Seconds < 3700 ? 150 : 1;
            Driver.Run();
            RequireExactlyOnce();
            Assert.True(Coordinator.Requests["token"] > 1);
        }
    }
}
