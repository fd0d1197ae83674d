using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Protocol;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>
/// Stands between a silo's front door and a run, on the front door's silo: the first check-ins wait at the run itself, as many as the quota
/// admits; all others are told to the run in batches and wait here, so that a hundred thousand clients cost their run a message for
/// hundreds of them and nothing while they wait.
/// </summary>
/// <remarks>
/// After Bonawitz et al., "Towards Federated Learning at Scale: System Design", MLSys 2019, Section 4.2, https://arxiv.org/abs/1902.01046.
/// Deviation: the paper's selectors choose which devices the coordinator hears of; here the run hears of all, so that its scheduler's draw,
/// which privacy may rest on, is from everybody. Whom the run has something for is heard from its news within a tenth of a second; what is
/// lost on the way is asked for again at every renewal, which also keeps the clients' places.
/// </remarks>
[StatelessWorker(1), Reentrant] // One per run and silo: the quota is the silo's.
internal sealed class SelectorGrain(TimeProvider clock, FrontDoorOptions options) : Grain, ISelectorGrain
{
    /// <summary>Clients of one message.</summary>
    private const int Batch = 512;

    private readonly Dictionary<int, Poll> held = [];
    private readonly Queue<Poll> asking = [];
    private IRunGrain run = null!;
    private IGrainTimer? renewal;
    private int admitted;
    private bool isAsking;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        run = GrainFactory.GetGrain<IRunGrain>(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<CheckInResult> CheckInAsync(long made, ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        if (admitted < options.PollQuota)
        {
            admitted++;
            try
            {
                return await run.CheckInAsync(made, client, wait, cancellation);
            }
            finally
            {
                admitted--;
            }
        }

        var poll = new Poll(made, client);
        if (held.TryGetValue(client.Value, out var older))
        {
            older.End(); // A newer check-in of the same client ends the older one.
        }

        held[client.Value] = poll;
        Ask(poll);
        renewal ??= this.RegisterGrainTimer(
            static (selector, _) => selector.RenewAsync(), this, new GrainTimerCreationOptions { DueTime = options.PollRenewal, Period = options.PollRenewal, Interleave = true });
        try
        {
            if (wait > TimeSpan.Zero)
            {
                await poll.Answered.WaitAsync(wait, clock, cancellation);
            }
            else
            {
                await poll.Heard.WaitAsync(cancellation);
                poll.End();
            }
        }
        catch (TimeoutException)
        {
            // Nothing for it within this call; what it heard last has to do.
            await poll.Heard.WaitAsync(cancellation);
            poll.End();
        }
        finally
        {
            if (held.TryGetValue(client.Value, out var present) && present == poll)
            {
                held.Remove(client.Value);
            }
        }

        return await poll.Answered;
    }

    public Task WakeAsync(ClientId[]? clients)
    {
        if (clients is null)
        {
            return RenewAsync();
        }

        foreach (var client in clients)
        {
            if (held.TryGetValue(client.Value, out var poll))
            {
                Ask(poll);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Asks for all that are held: keeps their places, and finds what no news told.</summary>
    private Task RenewAsync()
    {
        foreach (var poll in held.Values)
        {
            Ask(poll);
        }

        if (held.Count == 0)
        {
            renewal?.Dispose();
            renewal = null;
        }

        return Task.CompletedTask;
    }

    private void Ask(Poll poll)
    {
        if (poll.IsAsked)
        {
            return;
        }

        poll.IsAsked = true;
        asking.Enqueue(poll);
        if (!isAsking)
        {
            isAsking = true;
            _ = AskAsync();
        }
    }

    /// <summary>One message after the other: those who come while one is under way share the next.</summary>
    private async Task AskAsync()
    {
        while (asking.Count > 0)
        {
            var made = asking.Peek().Made;
            List<Poll> batch = [];
            while (batch.Count < Batch && asking.TryPeek(out var next) && next.Made == made)
            {
                batch.Add(asking.Dequeue());
            }

            CheckInResult[] results;
            try
            {
                results = await run.CheckInManyAsync(made, [.. batch.Select(poll => poll.Client)]);
            }
            catch (Exception)
            {
                results = [.. batch.Select(_ => new NotAsked(HostOutcome.Closed, TimeSpan.Zero))]; // The front door asks again.
            }

            for (var i = 0; i < batch.Count; i++)
            {
                batch[i].IsAsked = false;
                batch[i].Hear(results[i]);
            }
        }

        isAsking = false;
    }

    /// <summary>A check-in that waits here.</summary>
    private sealed class Poll(long made, ClientId client)
    {
        private readonly TaskCompletionSource<CheckInResult> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CheckInResult? last;
        private bool isEnded;

        public long Made => made;

        public ClientId Client => client;

        /// <summary>Whether it stands in a batch.</summary>
        public bool IsAsked { get; set; }

        public Task<CheckInResult> Answered => answer.Task;

        /// <summary>When the run has said anything.</summary>
        public Task Heard => heard.Task;

        public void Hear(CheckInResult result)
        {
            last = result;
            if (result is not Waiting || isEnded)
            {
                answer.TrySetResult(result);
            }

            heard.TrySetResult();
        }

        /// <summary>Answers with what was heard last, or will be: everybody who stands in a batch hears something.</summary>
        public void End()
        {
            isEnded = true;
            if (last is not null)
            {
                answer.TrySetResult(last);
            }
        }
    }
}
