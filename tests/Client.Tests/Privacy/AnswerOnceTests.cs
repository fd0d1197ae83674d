using System.Buffers.Text;
using Federated.Client.Analytics;
using Federated.Client.Store;
using Federated.Privacy.Analytics;
using Federated.Privacy.Hpke;
using Federated.Privacy.Local.Frequencies;
using Federated.Protocol;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Privacy;

/// <summary>A client answers a run once, by its own memory, and refuses assignments that ask for less protection than their question says.</summary>
public sealed class AnswerOnceTests : IDisposable
{
    private static readonly MeanOptions Question = new() { Question = "age", Lower = 0, Upper = 100 };

    private readonly MemoryModelCache cache = new(1 << 20);
    private readonly MemoryClientStore clientStore;
    private readonly IRunStore store;
    private int asked;

    public AnswerOnceTests()
    {
        clientStore = new MemoryClientStore(cache);
        store = clientStore.OpenRun("run");
    }

    public void Dispose()
    {
        clientStore.Dispose();
        cache.Dispose();
    }

    [Fact]
    public void A_second_assignment_gets_no_second_report_whatever_became_of_the_first()
    {
        var (first, _, _) = Answer(Assignment(1));
        Assert.NotNull(first);
        Assert.Equal(sizeof(double), first.Declaration.Delta.Length);
        store.Discard(); // The coordinator never took it: it may have seen it all the same.
        var (second, reason, _) = Answer(Assignment(2));
        Assert.Null(second);
        Assert.Contains("already", reason, StringComparison.Ordinal);
        Assert.Equal(1, asked);
    }

    [Theory]
    [InlineData("safetensors", 1.0)]
    [InlineData("report", 0.5)]
    [InlineData("report", null)]
    public void What_does_not_ask_for_the_questions_own_randomisation_is_refused(string codec, double? epsilon)
    {
        var (pending, reason, _) = Answer(Assignment(1) with
        {
            Codec = codec,
            Privacy = epsilon is { } stated ? new ProtectionMessage(ProtectionMessage.Randomize, 1, "mean", stated).ToJson() : null,
        });
        Assert.Null(pending);
        Assert.NotEmpty(reason);
        Assert.Equal(0, asked);
    }

    [Fact]
    public void A_shuffled_report_has_one_size_goes_to_the_shuffler_and_carries_no_seed_that_the_coordinator_knows()
    {
        var question = new HistogramOptions { Question = "age", Edges = [0, 20, 40, 60, 80], Oracle = "olh" };
        var analysis = PrivateAnalysis.Create(question);
        using var analyzer = HpkePrivateKey.Generate();
        using var shuffler = HpkePrivateKey.Generate();
        var reportBytes = ReportEnvelope.LengthBytes + analysis.ReportBytes;
        var way = new ShuffleMessage(
            "http://127.0.0.1:1/", [new("s", Base64Url.EncodeToString(shuffler.Point))], Base64Url.EncodeToString(analyzer.Point), "run", "stream", reportBytes, "claims.AAAA");
        var protection = AnalysisPlan.Protection(analysis, isShuffled: true) with { Shuffle = way };
        HashSet<ulong> seeds = [Ticket.OfCoin(17, 1).Seed];
        HashSet<int> sizes = [];
        for (var client = 0; client < 3; client++)
        {
            using var own = new MemoryClientStore(cache);
            var memory = own.OpenRun("run");
            var assignment = Assignment(1) with { Training = new AnalysisPlan(question).ToJson(), Privacy = protection.ToJson() };
            var (pending, reason, _) = new AnswerTask(memory, new Person(this), null).Run(assignment, AnalysisPlan.Of(assignment.Training)!, () => true, CancellationToken.None);
            Assert.True(pending is not null, reason);
            Assert.Equal((way.Url, TicketKey.Prove(way.Ticket)), (pending.Shuffler, pending.TicketProof));
            var envelope = new byte[pending.Declaration.Delta.Length];
            using (var stream = memory.OpenPart(pending.Declaration.Delta))
            {
                stream.ReadExactly(envelope);
            }

            Assert.True(ReportEnvelope.TryOpenEnvelope(shuffler, envelope, out _, out var inner));
            var report = ReportEnvelope.TryOpenReport(analyzer, "run", "stream", protection.RandomizerInWords, reportBytes, inner.Span);
            Assert.Equal(analysis.ReportBytes, report!.Value.Length);
            Assert.True(seeds.Add(LocalHashing.Seed(report.Value.Span)), "every report has a seed of its own");
            Assert.Null(analysis.Problem(report.Value.Span, PrivateAnalysis.OwnTicket(0, report.Value.Span)));
            sizes.Add(envelope.Length);
        }

        Assert.Single(sizes);
    }

    private (PendingUpdate? Pending, string Reason, Exception? Error) Answer(AssignmentMessage assignment) =>
        new AnswerTask(store, new Person(this), null).Run(assignment, AnalysisPlan.Of(assignment.Training)!, () => true, CancellationToken.None);

    private static AssignmentMessage Assignment(long id)
    {
        var analysis = PrivateAnalysis.Create(Question);
        return new AssignmentMessage(
            id, 0, 1, 0, new BlobReference(new string('0', 64), 1), new Dictionary<string, BlobReference>(), new AnalysisPlan(Question).ToJson(), AnalysisPlan.Codec, "17", 1)
        {
            Privacy = AnalysisPlan.Protection(analysis).ToJson(),
        };
    }

    private sealed class Person(AnswerOnceTests test) : IAnalyst
    {
        public AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation)
        {
            test.asked++;
            return AnalysisAnswer.Of(41);
        }
    }
}
