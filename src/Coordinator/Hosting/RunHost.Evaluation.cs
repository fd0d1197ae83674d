using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>Evaluation at the coordinator: one version at a time, beside the loop.</content>
public sealed partial class RunHost
{
    private readonly Queue<(int Version, BlobReference Model)> toEvaluate = new();
    private bool isEvaluating;
    private string evaluationProblem = "";

    private void QueueEvaluation(int version)
    {
        if (run.Parts.Evaluator is null || !run.Versions.TryGetValue(version, out var blobs))
        {
            return;
        }

        run.Pin(version);
        toEvaluate.Enqueue((version, blobs.Deployed));
        if (toEvaluate.Count > options.EvaluationBacklog)
        {
            run.Unpin(toEvaluate.Dequeue().Version);
        }

        StartEvaluation();
    }

    /// <summary>Asks again for the evaluation that was under way when the run was last open.</summary>
    private void ResumeEvaluation()
    {
        toEvaluate.Clear();
        var last = run.Machine.LastEvaluationRequested;
        if (last >= 0 && (history.Points.Count == 0 || history.Points[^1].Version < last))
        {
            QueueEvaluation(last);
        }
    }

    private void StartEvaluation()
    {
        if (isEvaluating || run.Parts.Evaluator is not { } evaluator || !toEvaluate.TryDequeue(out var next))
        {
            return;
        }

        isEvaluating = true;
        var blobs = new RunBlobs(memory, store.Blobs, 0);
        _ = Task.Run(async () =>
        {
            try
            {
                var result = await evaluator.EvaluateAsync(next.Version, next.Model, blobs, stopping.Token).ConfigureAwait(false);
                PostInternal(new EvaluatedItem(next.Version, result, ""));
            }
            catch (Exception e)
            {
                PostInternal(new EvaluatedItem(next.Version, null, $"Version {next.Version} could not be evaluated: {e.Message}"));
            }
        });
    }

    private void EndEvaluation(int version, string problem)
    {
        isEvaluating = false;
        evaluationProblem = problem;
        run.Unpin(version);
    }
}
