using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>Evaluation, one version at a time: at the coordinator beside the loop, or by clients that have nothing else to do.</content>
public sealed partial class RunHost
{
    private readonly Queue<(int Version, BlobReference Model)> toEvaluate = new();
    private bool isEvaluating;
    private ClientEvaluation? byClients;
    private string evaluationProblem = "";

    /// <summary>A client's evaluation of a version that it was asked for; one that is not waited for any more is passed over.</summary>
    public Task<Posted> ReportAsync(int version, ClientScore score)
    {
        var item = new ReportItem(version, score);
        Post(item);
        return item.Task;
    }

    private void QueueEvaluation(int version)
    {
        if ((run.Parts.Evaluator is null && run.Parts.ClientEvaluation is null) || !run.Versions.TryGetValue(version, out var blobs))
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
        byClients = null;
        var last = run.Machine.LastEvaluationRequested;
        if (last >= 0 && (history.Points.Count == 0 || history.Points[^1].Version < last))
        {
            QueueEvaluation(last);
        }
    }

    private void StartEvaluation()
    {
        if (isEvaluating || byClients is not null || !toEvaluate.TryDequeue(out var next))
        {
            return;
        }

        if (run.Parts.Evaluator is { } evaluator)
        {
            isEvaluating = true;
            var blobs = new RunBlobs(memory, store.Blobs, 0);
            _ = Task.Run(() => EvaluateAsync(evaluator, next.Version, next.Model, blobs));
            return;
        }

        byClients = new ClientEvaluation(next.Version, next.Model, run.Parts.ClientEvaluation!, Now);
    }

    /// <summary>Asks those who wait for work, unless work may come this very instant.</summary>
    private void OfferEvaluation()
    {
        if (byClients is not { CanAsk: true } || deadlines.Next <= Now)
        {
            return;
        }

        foreach (var poll in polls.Values.ToList())
        {
            if (byClients.TryAsk(poll.Client))
            {
                EndPoll(poll, new EvaluationWanted(byClients.Version, byClients.Model));
            }
        }
    }

    /// <summary>An evaluation instead of having nothing to do, for a client that has not been asked for this one.</summary>
    private CheckInResult OrEvaluate(ClientId client, CheckInResult next) =>
        next is Waiting or RunOver && byClients is not null && byClients.TryAsk(client) ? new EvaluationWanted(byClients.Version, byClients.Model) : next;

    private async Task EvaluateAsync(IRunEvaluator evaluator, int version, BlobReference model, IBlobStore blobs)
    {
        try
        {
            var result = await evaluator.EvaluateAsync(version, model, blobs, stopping.Token).ConfigureAwait(false);
            PostInternal(new EvaluatedItem(version, result, ""));
        }
        catch (Exception e)
        {
            PostInternal(new EvaluatedItem(version, null, $"Version {version} could not be evaluated: {e.Message}"));
        }
    }

    private void EndEvaluation(int version, string problem)
    {
        isEvaluating = false;
        evaluationProblem = problem;
        run.Unpin(version);
    }

    /// <summary>Ends the evaluation by clients when enough have reported, or time is up.</summary>
    private LoggedEvent? EndOfClientEvaluation(double now)
    {
        if (byClients is not { } open || !open.IsOver(now))
        {
            return null;
        }

        byClients = null;
        run.Unpin(open.Version);
        return open.Result(now);
    }

    /// <summary>A version out for evaluation.</summary>
    private sealed class ClientEvaluation(int version, BlobReference model, FederatedEvaluationOptions options, double begun)
    {
        private readonly HashSet<int> asked = [];
        private readonly SortedDictionary<int, ClientScore> scores = [];

        public int Version => version;

        public BlobReference Model => model;

        public double Until => begun + options.Seconds;

        /// <summary>Twice as many are asked as are needed, since some will not answer.</summary>
        public bool CanAsk => asked.Count < 2L * options.Reports;

        public bool TryAsk(ClientId client) => CanAsk && asked.Add(client.Value);

        public void Take(ClientScore score)
        {
            if (asked.Contains(score.Client.Value) && score.IsSound)
            {
                scores.TryAdd(score.Client.Value, score);
            }
        }

        public bool IsOver(double now) => scores.Count >= options.Reports || now >= Until;

        /// <summary>The mean over all examples; null when nobody reported.</summary>
        public LoggedEvent? Result(double now)
        {
            if (scores.Count == 0)
            {
                return null;
            }

            var examples = scores.Values.Sum(s => s.Examples);
            var accuracy = scores.Values.Sum(s => s.Examples * s.Accuracy) / examples;
            var loss = scores.Values.Sum(s => s.Examples * s.Loss) / examples;
            return new LoggedEvent(new EvaluationArrived(now, version, accuracy, loss)) { Scores = [.. scores.Values] };
        }
    }

    private sealed class ReportItem(int version, ClientScore score) : Item<Posted>
    {
        public override LoggedEvent? Event(RunHost host, double now)
        {
            if (host.byClients is not { } open || open.Version != version)
            {
                return null;
            }

            open.Take(score);
            return host.EndOfClientEvaluation(now);
        }

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects) => Answer(new Posted(HostOutcome.Done, effects, TimeSpan.Zero));

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer(new Posted(outcome, [], retryAfter));
    }
}
