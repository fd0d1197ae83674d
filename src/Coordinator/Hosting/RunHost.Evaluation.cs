using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>
/// Evaluation, one version at a time: at the coordinator beside the loop, or by clients, who are asked before they are given work. Where every
/// client is always busy nobody would ever be asked otherwise; an evaluation is one pass over a client's own test examples.
/// </content>
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

    /// <summary>An evaluation first, for a client that has not been asked for this one; its assignment is kept for when it comes back.</summary>
    private CheckInResult OrEvaluate(ClientId client, CheckInResult next) =>
        byClients is not null && byClients.TryAsk(client) ? new EvaluationWanted(byClients.Version, byClients.Model) : next;

    /// <summary>Clients leave when the run is over: of the versions that wait for their scores, the last is the one to ask for.</summary>
    private void AskForLastVersion()
    {
        if (run.Parts.Evaluator is not null || toEvaluate.Count == 0)
        {
            return;
        }

        while (toEvaluate.Count > 1)
        {
            run.Unpin(toEvaluate.Dequeue().Version);
        }

        if (byClients is { } open)
        {
            byClients = null;
            run.Unpin(open.Version);
            PostInternal(new EndedEvaluationItem(open));
        }

        StartEvaluation();
    }

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
        if (byClients is not { } open || !open.IsOver(now, run.Machine.ClientCount))
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
        private readonly HashSet<int> declined = [];
        private readonly SortedDictionary<int, ClientScore> scores = [];

        public int Version => version;

        public BlobReference Model => model;

        public double Until => begun + options.Seconds;

        /// <summary>Twice as many are asked as are needed, since some will not answer.</summary>
        public bool CanAsk => asked.Count < 2L * options.Reports;

        public bool TryAsk(ClientId client) => CanAsk && asked.Add(client.Value);

        public void Take(ClientScore score)
        {
            if (asked.Contains(score.Client.Value) && score.IsSound && scores.TryAdd(score.Client.Value, score))
            {
                declined.Remove(score.Client.Value);
            }
        }

        /// <summary>A client asks for work: whoever was asked for a score and comes without has none to give.</summary>
        public void CameBack(ClientId client)
        {
            if (asked.Contains(client.Value) && !scores.ContainsKey(client.Value))
            {
                declined.Add(client.Value);
            }
        }

        /// <summary>Enough have reported, or nobody is left who could, or time is up.</summary>
        public bool IsOver(double now, int clients) =>
            scores.Count >= options.Reports || now >= Until || (asked.Count > 0 && scores.Count + declined.Count >= asked.Count && (!CanAsk || asked.Count >= clients));

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

    /// <summary>An evaluation by clients that was ended early; what had been reported stands.</summary>
    private sealed class EndedEvaluationItem(ClientEvaluation ended) : Item
    {
        public override LoggedEvent? Event(RunHost host, double now) => ended.Result(now);

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
        }

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter)
        {
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
