using System.Text.Json;
using Federated.Coordinator.SecureAggregation;
using Federated.Coordinator.Storage;
using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Orleans.Hosting;

/// <content>Sessions of secure aggregation and findings of an analysis, both of which stand on the silo that has the run.</content>
/// <remarks>
/// A masked vector goes to the run's silo in messages, in parts, as an exception from the rule that weights do not: in the store it would outlive its session, and
/// nothing of a session may. When the run has moved, the sessions are gone, and members are told so.
/// </remarks>
public sealed partial class ClusterRun : ISecureSums
{
    private SessionTerms? sumTerms;
    private volatile SecureSumFacts sumFacts = new([]);
    private volatile AnalysisMessage? found;

    public ISecureSums? SecureSums => Parts.SecureSum is null ? null : this;

    public async ValueTask<AnalysisMessage?> AnalysisAsync(CancellationToken cancellation)
    {
        if (!Parts.Sections.OfType<Analytics.IAnalysisOutcome>().Any())
        {
            return null;
        }

        if (await AskAsync(run => run.AnalysisAsync(made), r => r is null, null, door.Options.LookPatience, cancellation).ConfigureAwait(false) is { } reply)
        {
            found = reply.Length == 0 ? null : JsonSerializer.Deserialize(reply, WireJson.Default.AnalysisMessage);
        }

        return found;
    }

    long? ISecureSums.LimitOf(string step) => StepLimits.Of(step, sumTerms ??= Parts.SecureSum!.Plan.TermsFor(Entry.Id));

    async ValueTask<StepAnswer> ISecureSums.TakeAsync(ClientId client, AssignmentId assignment, string step, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        for (var offset = 0; ; offset += door.Options.StepPartBytes)
        {
            var (at, part) = (offset, body.Slice(offset, Math.Min(door.Options.StepPartBytes, body.Length - offset)).ToArray());
            var answer = await AskAsync(run => run.TakeStepAsync(made, client, assignment, step, body.Length, at, part), r => r is null, null, door.Options.FailoverPatience, cancellation)
                .ConfigureAwait(false);
            if (answer is not { Verdict: StepVerdict.Taken } || offset + part.Length >= body.Length)
            {
                return answer is { } said ? new StepAnswer(said.Verdict, said.Detail) : new StepAnswer(StepVerdict.Unavailable, "The run is moving from one silo to another; send the step again.");
            }
        }
    }

    async Task<SecureSumState> ISecureSums.StateAsync(ClientId client, AssignmentId assignment, SessionPhase? after, TimeSpan wait, CancellationToken cancellation)
    {
        var phase = after is { } past ? SecureSumState.NameOf(past) : "";
        var reply = await PollAsync(
            (run, slice, token) => run.SumStateAsync(made, client, assignment, phase, slice, token), r => r is null, r => after is not null && StateOf(r) is { Known: { } now } && now <= after, null, wait, cancellation)
            .ConfigureAwait(false);
        return StateOf(reply) ?? throw new StorageException($"Run '{Entry.Id}' is on its way from one silo to another; ask again.");
    }

    async ValueTask<SecureSumFacts> ISecureSums.FactsAsync(CancellationToken cancellation)
    {
        if (await AskAsync(run => run.SumFactsAsync(made), r => r is null, null, door.Options.LookPatience, cancellation).ConfigureAwait(false) is { } reply)
        {
            sumFacts = JsonSerializer.Deserialize(reply, WireJson.Default.SecureSumFacts)!;
        }

        return sumFacts;
    }

    private static SecureSumState? StateOf(byte[]? reply) => reply is null ? null : JsonSerializer.Deserialize(reply, WireJson.Default.SecureSumState);
}
