using Federated.Client.Training;

namespace Federated.Client.Tests.Fakes;

/// <summary>
/// Remembers how many of its updates were accepted, and sends that count as its delta: one that is lost, or counted twice, shows in every
/// later update.
/// </summary>
internal sealed class CountingTrainer : ITrainer
{
    public double Examples => 5;

    public List<TrainingTask> Tasks { get; } = [];

    /// <summary>What to do instead of training; the training is done after it.</summary>
    public Action<TrainingTask, CancellationToken> Before { get; set; } = (_, _) => { };

    public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
    {
        Tasks.Add(task);
        Before(task, cancellation);
        cancellation.ThrowIfCancellationRequested();
        var count = task.State.TryGetValue("count", out var state) ? state.Span[0] : 0;
        task.Delta.Fill(count + 1);
        task.NextState["count"] = Enumerable.Repeat(count + 1, task.Layout.Count).ToArray();
        if (task.FromServer.TryGetValue("control", out var control))
        {
            task.ToServer["change"] = control.ToArray().Select(v => -v).ToArray();
        }

        return new TrainingResult(Examples, Steps: 3, MeanLoss: 0.5);
    }

    public EvaluationResult? Evaluate(EvaluationTask task, CancellationToken cancellation) => new(5, 0.8, 0.4);
}
