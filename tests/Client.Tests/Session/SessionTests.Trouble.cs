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

public static partial class SessionTests
{
    public sealed class Refusals : SessionFixture
    {
        [Fact]
        public void OfAnUpdateDropItAndWhatItWouldHaveLeftInMemory()
        {
            Trainer.Before = (_, _) => Coordinator.LeaseSeconds = 10_000;
            Coordinator.LeaseSeconds = 5;
            Coordinator.Faults = (request, n) => request == "send" && n == 0 ? Fault.Busy : Fault.None; // 7 s: beyond the lease.
            var summary = Driver.Run();
            Assert.Equal((3, 1), (summary.Accepted, summary.Rejected));
            RequireExactlyOnce();
        }

        [Theory]
        [InlineData("send", 1 << 20)]
        [InlineData("declare", 0)]
        public void OfWhatIsNoUpdateHandTheAssignmentBack(string request, int envelopeBytes)
        {
            Driver.Options = Driver.Options with { EnvelopeBytes = envelopeBytes };
            Coordinator.Faults = (name, n) => name == request && n == 0 ? Fault.NotAnUpdate : Fault.None;
            var summary = Driver.Run();
            Assert.Equal((3, 1), (summary.Accepted, summary.Rejected));
            Assert.StartsWith("the update was refused", Coordinator.Failed[0], StringComparison.Ordinal);
            RequireExactlyOnce();
        }

        [Fact]
        public void OfATokenAreMendedHoweverOftenTheyCome()
        {
            Coordinator.Faults = (name, n) => name == "send" && n < 20 ? Fault.TokenExpired : Fault.None;
            Driver.Run();
            RequireExactlyOnce();
            Assert.InRange(Coordinator.Requests["token"], 16, 21); // Not one after the other: there are waits between.
            Assert.True(Time.Seconds > 10);
        }

        [Fact]
        public void OfTheProtocolAreFinalAndSaySo()
        {
            Coordinator.Speaks = (2, 3);
            var e = Assert.Throws<ClientException>(() => Driver.Run());
            Assert.Contains("does not speak this client's protocol", e.Message, StringComparison.Ordinal);
            Assert.Equal(1, Coordinator.Requests["enrol"]);
        }

        [Fact]
        public void OfAVersionLeadToTheHighestThatBothSpeak()
        {
            Coordinator.Version = 7;
            Driver.Run();
            Assert.Equal(1, Coordinator.Version);
            RequireExactlyOnce();
        }

        [Fact]
        public void OfTheClientItselfAreFinalAndKeepTheFinishedUpdate()
        {
            Coordinator.Faults = (request, n) =>
            {
                if (request == "send")
                {
                    Coordinator.RevokeClient();
                }

                return request == "send" ? Fault.TokenExpired : Fault.None;
            };
            var e = Assert.Throws<ClientException>(() => Driver.Run());
            Assert.Contains("enrol again", e.Message, StringComparison.Ordinal);
            Assert.NotNull(Store.OpenRun("run").Pending);
        }

        [Fact]
        public void OfAnAssertionForItsDateAreMendedByTheCoordinatorsClock()
        {
            Coordinator.ClockOffset = -86_400 * 400;
            Driver.Run();
            Assert.Equal(2, Coordinator.Requests["token"]);
            RequireExactlyOnce();
        }
    }

    public sealed class AReportThatAShufflerHolds : SessionFixture
    {
        /// <summary>What it said before was that the batch was there, so that the client counted a report that nobody used.</summary>
        [Theory]
        [InlineData("ended", true, "")]
        [InlineData("dropped", false, "batch-dropped")]
        [InlineData("cancelled", false, "too-late")]
        public void IsCountedAsUsedOnlyWhenItsBatchIsThere(string state, bool accepted, string reason)
        {
            var run = Store.OpenRun("run");
            var part = run.WritePart(stream => stream.Write([1, 2, 3]));
            run.Stage(new PendingUpdate(7, 0, new UpdateDeclaration { Delta = part, Examples = 0, LocalSteps = 1 }, false) { Shuffler = "https://s1", TicketProof = "claims.proof" }, null);
            Coordinator.ShuffledState = state;
            Driver.Options = Driver.Options with { MaxUpdates = 1 };
            var summary = Driver.Run();
            Assert.Equal(accepted ? (1, 0) : (0, 1), (summary.Accepted, summary.Rejected));
            var settled = Driver.Events.OfType<Settled>().Single();
            Assert.Equal((7L, accepted, reason), (settled.Assignment, settled.Outcome.Accepted, settled.Outcome.Reason));
            var (shuffler, proof, envelope) = Coordinator.Reports.Single();
            Assert.Equal((new Uri("https://s1"), "claims.proof"), (shuffler, proof));
            Assert.Equal([1, 2, 3], envelope);
            Assert.Null(run.Pending);
        }
    }

    public sealed class ABrokenUpload : SessionFixture
    {
        [Fact]
        public void GoesOnWhereItStopped()
        {
            Driver.Options = Driver.Options with { EnvelopeBytes = 0, ChunkBytes = 40 };
            Coordinator.Target = 1;
            Coordinator.Faults = (request, n) => request == "append" && n == 1 ? Fault.ReplyLost : Fault.None;
            Assert.Equal(new SessionSummary("done", 1, 1, 0, 0), Driver.Run()); // The same update, not another in its place.
            RequireExactlyOnce();
            var pieces = (Coordinator.Declarations[0].Delta.Length + 39) / 40;
            Assert.Equal(pieces, Coordinator.Requests["append"]); // None was sent twice.
        }

        [Fact]
        public void BeginsAnewWhenTheCoordinatorHasForgottenIt()
        {
            Driver.Options = Driver.Options with { EnvelopeBytes = 0, ChunkBytes = 40 };
            Coordinator.Target = 1;
            Coordinator.Faults = (request, n) =>
            {
                if (request == "append" && n == 1)
                {
                    Coordinator.ForgetUploads();
                }

                return Fault.None;
            };
            Assert.Equal(new SessionSummary("done", 1, 1, 0, 0), Driver.Run()); // The same update, not another in its place.
            RequireExactlyOnce();
            Assert.Equal(3, Coordinator.Requests["declare"]);
        }

        [Fact]
        public void InOneRequestIsRepeatedInPiecesWhereItIsTooLarge()
        {
            Coordinator.Target = 1;
            Coordinator.Faults = (request, _) => request == "send" ? Fault.TooLarge : Fault.None;
            Assert.Equal(new SessionSummary("done", 1, 1, 0, 0), Driver.Run());
            Assert.Equal((1, 2), (Coordinator.Requests["send"], Coordinator.Requests["declare"]));
            RequireExactlyOnce();
        }

        [Fact]
        public void FollowsTheCoordinatorsOffset()
        {
            Driver.Options = Driver.Options with { EnvelopeBytes = 0, ChunkBytes = 40 };
            Coordinator.Target = 1;
            Coordinator.Handled = request =>
            {
                if (request == "offset" && Coordinator.Requests["offset"] == 1)
                {
                    // Another attempt, thought dead, gets through after all.
                    var delta = Store.OpenRun("run").Pending!.Declaration.Delta;
                    using var part = Store.OpenRun("run").OpenPart(delta);
                    Coordinator.Smuggle(delta, part, 16);
                }
            };
            Assert.Equal(new SessionSummary("done", 1, 1, 0, 0), Driver.Run()); // The same update, not another in its place.
            RequireExactlyOnce();
            Assert.Equal(1, Coordinator.WrongOffsets);
        }
    }
}
