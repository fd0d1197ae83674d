using System.Text.Json;
using Federated.Coordinator.SecureAggregation;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Orleans.Grains;

/// <content>What stands beside the run on its silo alone: sessions of secure aggregation, which end with it, and what an analysis has found.</content>
internal sealed partial class RunGrain
{
    private readonly StepBodies bodies = new(clock);

    public async Task<Stepped?> TakeStepAsync(long made, ClientId client, AssignmentId assignment, string step, int length, int offset, byte[] part)
    {
        if (Present(made)?.SecureSum is not { } sums)
        {
            return null;
        }

        var body = part;
        if (part.Length < length)
        {
            // Who is in no session sends no step that is so long; of such nothing is kept.
            if (!sums.Knows(client, assignment))
            {
                return Of(SecureIntake.InNoSession);
            }

            if (!(length <= sums.LimitOf(step)))
            {
                return new Stepped(StepVerdict.Malformed, "No step is so long.");
            }

            var (fits, whole) = bodies.Add(assignment, step, length, offset, part);
            if (whole is null)
            {
                return fits ? Of(StepAnswer.Taken) : new Stepped(StepVerdict.Unavailable, "The run has moved to another silo while the step came in; send it again.");
            }

            body = whole;
        }

        // Unpacking and hashing a long vector is no work for the grain's own thread.
        return Of(await Task.Run(() => sums.TakeAsync(client, assignment, step, body, CancellationToken.None).AsTask()));
    }

    public async Task<byte[]?> SumStateAsync(long made, ClientId client, AssignmentId assignment, string after, TimeSpan wait, CancellationToken cancellation)
    {
        if (Present(made)?.SecureSum is not { } sums)
        {
            return null;
        }

        var state = await sums.StateAsync(client, assignment, new SecureSumState(after, "").Known, Shorter(wait), cancellation);
        return JsonSerializer.SerializeToUtf8Bytes(state, WireJson.Default.SecureSumState);
    }

    public Task<byte[]?> SumFactsAsync(long made) =>
        Task.FromResult(Present(made)?.SecureSum is { } sums ? JsonSerializer.SerializeToUtf8Bytes(sums.Facts(), WireJson.Default.SecureSumFacts) : null);

    public async Task<byte[]?> AnalysisAsync(long made) => Present(made) is not { View.Host: Coordinator.Hosting.HostState.Open } run ? null
        : await run.AnalysisAsync(CancellationToken.None) is { } found ? JsonSerializer.SerializeToUtf8Bytes(found, WireJson.Default.AnalysisMessage)
        : [];

    private static Stepped Of(StepAnswer answer) => new(answer.Verdict, answer.Detail);
}
