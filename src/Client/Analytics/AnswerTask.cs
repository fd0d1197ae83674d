using System.Globalization;
using System.Text.Json;
using Federated.Client.Privacy;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Privacy.Analytics;
using Federated.Privacy.Randomness;
using Federated.Protocol.Wire;

namespace Federated.Client.Analytics;

/// <summary>One question from its assignment to a pending report: answer, remember, randomise, store. A client answers a run once, whatever it is asked.</summary>
internal sealed class AnswerTask(IRunStore store, IAnalyst analyst, PrivacyGuard? guard)
{
    private const string Answered = "analysis/answered";

    /// <summary>The report, stored durably; or why there is none.</summary>
    public (PendingUpdate? Pending, string Reason, Exception? Error) Run(AssignmentMessage assignment, AnalysisPlan plan, Func<bool> isReady, CancellationToken cancellation)
    {
        if (ClientMemory.Read(store, 1).ContainsKey(Answered))
        {
            return (null, "this client has answered this run already, and a second report would cost its privacy again", null);
        }

        try
        {
            var analysis = PrivateAnalysis.Create(plan.Analysis);
            if (Refusal(assignment, analysis) is { } refusal)
            {
                return (null, refusal, null);
            }

            if (analyst.Answer(plan.Analysis, cancellation) is not { } answer)
            {
                return (null, $"this client keeps its answer to '{plan.Analysis.Question}' to itself", null);
            }

            var way = UpdateProtection.WayOf(assignment.Privacy);
            var ticket = Ticket.OfCoin(ulong.Parse(assignment.Seed, NumberStyles.None, CultureInfo.InvariantCulture), analysis.Groups);
            var report = new byte[analysis.ReportBytes];
            using (var random = new CryptographicRandom())
            {
                // An assigned seed would tell the coordinator whose shuffled report it is in.
                analysis.Randomize(answer, way is null ? ticket : ticket with { Seed = random.NextUInt64() }, report, random);
            }

            string? proof = null;
            if (way is var (protection, shuffle))
            {
                (report, proof) = (UpdateProtection.Seal(report, protection, shuffle), UpdateProtection.ProofOf(shuffle));
            }

            cancellation.ThrowIfCancellationRequested();
            guard?.Charge(sendsMore: false); // Before anything of the report is on disk, from where it would be sent whatever happens.
            Remember(assignment);
            var pending = new PendingUpdate(assignment.Id, assignment.BaseVersion, Declare(stream => stream.Write(report), isReady()), HasMemory: true)
            {
                Shuffler = way?.Way.Url,
                TicketProof = proof,
            };
            store.Stage(pending, Memory);
            return (pending, "", null);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            return (null, $"the question could not be answered: {e.Message}", e);
        }
    }

    /// <summary>What an assignment claims to do to the answer must be what its question does.</summary>
    private static string? Refusal(AssignmentMessage assignment, PrivateAnalysis analysis)
    {
        if (assignment.Codec != AnalysisPlan.Codec)
        {
            return $"reports go up as they are, under the codec '{AnalysisPlan.Codec}', and the assignment asks for '{assignment.Codec}'";
        }

        try
        {
            return assignment.Privacy is { } privacy && ProtectionMessage.Parse(privacy) is { Kind: ProtectionMessage.Randomize or ProtectionMessage.Shuffled, ReportEpsilon: { } stated } && stated >= analysis.Epsilon
                ? null
                : $"the assignment does not ask for a randomised report of ε₀ = {analysis.Epsilon.ToString(CultureInfo.InvariantCulture)}, which its question needs";
        }
        catch (JsonException e)
        {
            return $"the run's privacy step cannot be taken on this client: {e.Message}";
        }
    }

    /// <summary>Durable before the report exists: a crash in between costs the answer, never a second report.</summary>
    private void Remember(AssignmentMessage assignment)
    {
        store.Stage(new PendingUpdate(assignment.Id, assignment.BaseVersion, Declare(_ => { }, ready: false), HasMemory: true), Memory);
        store.Accept();
    }

    private static void Memory(Stream stream) => ClientMemory.Writer([new(Answered, new float[] { 1 })])!(stream);

    private UpdateDeclaration Declare(Action<Stream> write, bool ready) =>
        new() { Delta = store.WritePart(write), Examples = 0, LocalSteps = 1, StepWeight = 1, Ready = ready };
}
