using System.Text.Json;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Batches;

namespace Federated.Shuffler.Tests;

public sealed class BatchBookTests
{
    public sealed class Emission
    {
        /// <summary>χ² over the 24 orders of 4 reports in 2,400 batches, whose true law has 23 degrees of freedom: false alarm 1e-6 at 71.3.</summary>
        [Fact]
        public async Task IsInUniformlyRandomOrderWhateverTheOrderOfArrival()
        {
            using var bench = new Bench();
            var counts = new Dictionary<string, int>();
            for (var round = 0; round < 2400; round++)
            {
                // Always the same arrival order, the same assignments relative to each other: what comes out must not follow it.
                bench.Book.Take([.. Enumerable.Range(0, 4).Select(i => Bench.Report(bench.Ticket((4 * round) + i, batch: $"v{round}"), (byte)(i + 1)))]);
                var batch = Assert.Single(bench.Book.Outbox);
                var (_, reports) = await Bench.EmitAsync(batch);
                var order = string.Join("", reports);
                counts[order] = counts.GetValueOrDefault(order) + 1;
                bench.Book.Finish(batch.Id);
            }

            Assert.Equal(24, counts.Count);
            Assert.InRange(counts.Values.Sum(n => Math.Pow(n - 100, 2) / 100), 0, 71.3);
        }

        [Fact]
        public async Task TellsNothingButWhatTheReceiverKnows()
        {
            using var bench = new Bench();
            bench.Book.Take([.. ((long[])[7, 3, 9, 5]).Select(a => Bench.Report(bench.Ticket(a, client: (int)(20 - a))))]);
            var batch = Assert.Single(bench.Book.Outbox);
            var (header, reports) = await Bench.EmitAsync(batch);
            Assert.Equal([3, 5, 7, 9], header.Assignments);
            Assert.Equal([17, 15, 13, 11], header.Clients);
            Assert.Equal([3, 5, 7, 9], reports.Order().Select(r => (long)r));
            using var json = JsonDocument.Parse(batch.Header);
            string[] schema = ["run", "batch", "id", "assignments", "clients", "reports", "reportBytes", "sha256", "dropped"];
            Assert.Equal(schema, json.RootElement.EnumerateObject().Select(p => p.Name));
            Assert.True(BatchHeader.Verify(batch.Header.Span, batch.Signature.Span, bench.Key));
        }

        /// <summary>They are written in pieces, and lie where they are looked for.</summary>
        [Fact]
        public async Task IsOfEveryByteThatCameWhenReportsAreLarge()
        {
            using var bench = new Bench();
            bench.Book.Take([.. Enumerable.Range(0, 12).Select(i => Bench.Report(bench.Ticket(i, target: 12) with { ReportBytes = 1 << 20 }, (byte)(i + 1)))]);
            var (_, reports) = await Bench.EmitAsync(Assert.Single(bench.Book.Outbox));
            Assert.Equal(Enumerable.Range(1, 12), reports.Order().Select(r => (int)r));
            bench.Crash();
            Assert.Equal(reports, (await Bench.EmitAsync(Assert.Single(bench.Book.Outbox))).Reports);
        }

        /// <summary>More used tickets than one record of their file holds.</summary>
        [Fact]
        public void LeavesItsTicketsUsedWhenTheirFileIsWrittenAnew()
        {
            const int many = 70_000;
            using var bench = new Bench();
            bench.Book.Take([.. Enumerable.Range(0, many).Select(i => Bench.Report(bench.Ticket(i, target: many), 1))]);
            bench.Book.Finish(Assert.Single(bench.Book.Outbox).Id);
            bench.Crash();
            foreach (var assignment in (long[])[0, 65_535, 65_536, many - 1])
            {
                Assert.Equal(ReportOutcome.Held, bench.Take(bench.Ticket(assignment), 1));
                Assert.Equal(ReportOutcome.Replayed, bench.Take(bench.Ticket(assignment), 2));
            }
        }

        [Fact]
        public async Task IsTheSameBytesUntilSomebodyHasThemAlsoAfterARestart()
        {
            using var bench = new Bench();
            bench.Book.Take([.. Enumerable.Range(0, 4).Select(i => Bench.Report(bench.Ticket(i)))]);
            var first = Assert.Single(bench.Book.Outbox);
            var (header, reports) = await Bench.EmitAsync(first);
            for (var restart = 0; restart < 3; restart++)
            {
                bench.Crash();
                var again = Assert.Single(bench.Book.Outbox);
                Assert.Equal([.. first.Header.Span, .. first.Signature.Span], (byte[])[.. again.Header.Span, .. again.Signature.Span]);
                Assert.Equal(reports, (await Bench.EmitAsync(again)).Reports);
            }

            bench.Book.Finish(header.Id);
            Assert.Empty(bench.Book.Outbox);
            bench.Crash();
            Assert.Empty(bench.Book.Outbox);
        }

        [Fact]
        public void IsOfWholeBatchesNeverMore()
        {
            using var bench = new Bench();
            bench.Book.Take([.. Enumerable.Range(0, 11).Select(i => Bench.Report(bench.Ticket(i)))]);
            Assert.Equal([4, 4], bench.Book.Outbox.Select(b => b.Reports));
            Assert.Equal(3, bench.Book.Held);
        }
    }

    /// <summary>What can be read back was not always written.</summary>
    public sealed class AfterASyncThatFailed
    {
        [Fact]
        public void WhatIsSaidToBeHeldIsOnTheMedium()
        {
            using var bench = new Bench();
            bench.Disk.FailSyncIn = 0;
            Assert.Throws<IOException>(() => bench.Take(bench.Ticket(1)));
            bench.Reopen();
            Assert.Equal(ReportOutcome.Held, bench.Take(bench.Ticket(1)));
            bench.Crash();
            Assert.Equal(1, bench.Book.Held);
        }

        [Fact]
        public void NothingIsOpenedUntilTheDiskWrites()
        {
            using var bench = new Bench();
            bench.Disk.FailSyncIn = 0;
            Assert.Throws<IOException>(() => bench.Take(bench.Ticket(1)));
            bench.Disk.FailSyncIn = 0;
            Assert.Throws<IOException>(bench.Reopen);
            bench.Reopen();
            Assert.Equal(ReportOutcome.Held, bench.Take(bench.Ticket(1)));
            bench.Crash();
            Assert.Equal(1, bench.Book.Held);
        }

        /// <summary>The process died between write and sync, and the machine later, with whatever of it on the medium.</summary>
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(3)]
        [InlineData(4)]
        public void SoIsWhatAProcessLeftThatDiedBeforeItsSync(ulong seed)
        {
            using var bench = new Bench(seed: seed);
            bench.Disk.BeforeSync = () => throw new InvalidOperationException("The process is killed.");
            Assert.Throws<InvalidOperationException>(() => bench.Take(bench.Ticket(1)));
            bench.Disk.BeforeSync = null;
            bench.Reopen();
            Assert.Equal(ReportOutcome.Held, bench.Take(bench.Ticket(1)));
            bench.Crash();
            Assert.Equal(1, bench.Book.Held);
        }

        [Fact]
        public void TicketsStayUsed()
        {
            using var bench = new Bench();
            bench.Book.Take([.. Enumerable.Range(0, 4).Select(i => Bench.Report(bench.Ticket(i), 1))]);
            var id = Assert.Single(bench.Book.Outbox).Id;
            bench.Disk.FailSyncIn = 0;
            Assert.Throws<IOException>(() => bench.Book.Finish(id));
            bench.Reopen();
            bench.Crash();
            Assert.Equal(ReportOutcome.Replayed, bench.Take(bench.Ticket(3), 2));
        }

        /// <summary>An order that some may have seen is the only one.</summary>
        [Fact]
        public async Task ABatchLeavesInOneOrder()
        {
            using var bench = new Bench();
            bench.Book.Take([.. Enumerable.Range(0, 3).Select(i => Bench.Report(bench.Ticket(i)))]);
            bench.Disk.FailSyncIn = 1; // The report's own sync succeeds, that of the batch's end does not.
            Assert.Throws<IOException>(() => bench.Take(bench.Ticket(3)));
            bench.Reopen();
            var first = await Bench.EmitAsync(Assert.Single(bench.Book.Outbox));
            bench.Crash();
            var again = await Bench.EmitAsync(Assert.Single(bench.Book.Outbox));
            Assert.Equal((first.Header.Id, first.Header.Sha256), (again.Header.Id, again.Header.Sha256));
            Assert.Equal(first.Reports, again.Reports);
        }
    }

    public sealed class Minimum
    {
        [Fact]
        public async Task OneReportLessThanItLeavesNothing()
        {
            using var bench = new Bench();
            for (var i = 0; i < 4; i++)
            {
                bench.Take(bench.Ticket(i, minimum: 5, target: 9));
            }

            bench.Book.EndWindows();
            Assert.Empty(bench.Book.Outbox);
            bench.Time.Advance(61);
            bench.Book.EndWindows();
            var batch = Assert.Single(bench.Book.Outbox);
            var (header, reports) = await Bench.EmitAsync(batch);
            Assert.True(header.Dropped);
            Assert.Empty(reports);
            Assert.Equal([0, 1, 2, 3], header.Assignments);
            bench.Book.Finish(batch.Id);
            Assert.Empty(bench.Disk.List("batches")); // Erased.
            Assert.Equal(ReportOutcome.Replayed, bench.Take(bench.Ticket(0, minimum: 5, target: 9), content: 77));
        }

        [Fact]
        public void IsEnoughWhenTheWindowEnds()
        {
            using var bench = new Bench();
            for (var i = 0; i < 5; i++)
            {
                bench.Take(bench.Ticket(i, minimum: 5, target: 9));
            }

            bench.Time.Advance(59);
            bench.Book.EndWindows();
            Assert.Empty(bench.Book.Outbox);
            bench.Time.Advance(2);
            bench.Crash();
            Assert.Equal(5, Assert.Single(bench.Book.Outbox).Reports);
        }

        [Fact]
        public void OfTheShufflersOwnOperatorIsKept()
        {
            using var bench = new Bench(floor: 10);
            Assert.Equal(ReportOutcome.BatchTooSmall, bench.Take(bench.Ticket(0, minimum: 9, target: 20)));
            Assert.Equal(ReportOutcome.Held, bench.Take(bench.Ticket(0, minimum: 10, target: 20)));
        }
    }

    public sealed class Replay
    {
        [Fact]
        public void OfATicketIsRefusedAtEveryStageAndARepetitionIsAnsweredAlike()
        {
            using var bench = new Bench();
            var ticket = bench.Ticket(0);
            Assert.Equal(ReportOutcome.Held, bench.Take(ticket));
            AssertKnown();
            for (var i = 1; i < 4; i++)
            {
                bench.Take(bench.Ticket(i));
            }

            AssertKnown(); // Closed.
            bench.Book.Finish(Assert.Single(bench.Book.Outbox).Id);
            AssertKnown(); // Gone.
            Assert.Equal(0, bench.Book.Held);

            void AssertKnown()
            {
                var held = bench.Book.Held;
                for (var restart = 0; restart < 2; restart++)
                {
                    Assert.Equal(ReportOutcome.Held, bench.Take(ticket));
                    Assert.Equal(ReportOutcome.Replayed, bench.Take(ticket, content: 99));
                    Assert.Equal(held, bench.Book.Held);
                    bench.Crash();
                }
            }
        }

        [Fact]
        public void OfAnExpiredTicketIsRefusedForThatAlone()
        {
            using var bench = new Bench();
            var ticket = bench.Ticket(0);
            bench.Time.Advance(3600);
            Assert.Equal(ReportOutcome.Expired, bench.Take(ticket));
        }

        [Fact]
        public void OneClientHasNoMoreReportsInABatchThanItMay()
        {
            using var bench = new Bench();
            Assert.Equal(
                [ReportOutcome.Held, ReportOutcome.Held, ReportOutcome.TooMany],
                ((long[])[0, 1, 2]).Select(a => bench.Take(bench.Ticket(a, client: 5, perClient: 2))));
        }

        [Fact]
        public void TicketsThatDisagreeAreNotInOneBatch()
        {
            using var bench = new Bench();
            bench.Take(bench.Ticket(0));
            Assert.Equal(ReportOutcome.OtherBatch, bench.Take(bench.Ticket(1, minimum: 1)));
            var tooLong = Bench.Report(bench.Ticket(2) with { Hops = 1 });
            Assert.Equal(ReportOutcome.WrongSize, bench.Book.Take([tooLong with { Ticket = bench.Ticket(2) }])[0]);
        }
    }

    public sealed class SecondShuffler
    {
        [Fact]
        public void TakesAWholeBatchOnceAndGivesItAnOrderOfItsOwn()
        {
            using var bench = new Bench(floor: 3);
            List<HeldReport> reports = [.. Enumerable.Range(0, 3).Select(i => Bench.Report(bench.Ticket(i)))];
            Assert.True(bench.Book.TakeBatch("abc", bench.Ticket(0), reports));
            Assert.False(bench.Book.TakeBatch("abc", bench.Ticket(0), reports));
            bench.Crash();
            Assert.False(bench.Book.TakeBatch("abc", bench.Ticket(0), reports));
            bench.Book.Finish("abc");
            bench.Crash();
            Assert.False(bench.Book.TakeBatch("abc", bench.Ticket(0), reports));
            Assert.Empty(bench.Book.Outbox);
            Assert.Throws<ShufflerException>(() => bench.Book.TakeBatch("abd", bench.Ticket(0), reports[..2]));
        }
    }
}
