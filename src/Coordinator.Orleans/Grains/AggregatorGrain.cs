using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Storage;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>
/// Reads, decodes and checks updates on the silo that they came to, as many at once for each run as the silo has processors: their run's silo
/// only adds them, and hears nothing of those that are no updates.
/// </summary>
/// <remarks>
/// After the aggregators of Bonawitz et al., "Towards Federated Learning at Scale: System Design", MLSys 2019, Section 4.1,
/// https://arxiv.org/abs/1902.01046. Deviation: the paper's aggregators hand up sums; decision 0012 says why these do not. Holds nothing
/// between calls: what was found out travels with the update's references, and the run's silo finds it out again when it is lost.
/// </remarks>
[StatelessWorker] // Not reentrant: the rest waits here instead of reading the store all at once.
internal sealed class AggregatorGrain(ClusterRuns runs, RunHosting hosting) : Grain, IAggregatorGrain
{
    public async Task<Checked> CheckAsync(long made, UpdateSubmission submission, CancellationToken cancellation)
    {
        try
        {
            if (await runs.FindAsync(this.GetPrimaryKeyString(), cancellation) is not { } run || run.Entry.CreatedAt.UtcTicks != made)
            {
                return default;
            }

            await using var intake = hosting.Intake(run.Parts.Model, submission);
            return await Task.Run(() => intake.CheckAsync(submission, cancellation).AsTask(), cancellation) switch
            {
                { Missing: { IsEmpty: false } missing } => new Checked(new BlobsMissing(missing), null),
                { Problem: { Length: > 0 } problem } => new Checked(new NotAnUpdate(problem), null),
                var check => new Checked(null, check.Submission.Report.IsFinite),
            };
        }
        catch (StorageException)
        {
            return default; // The run's silo has the last word on whether the store can be read.
        }
    }
}
