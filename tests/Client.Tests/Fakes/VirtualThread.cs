namespace Federated.Client.Tests.Fakes;

/// <summary>Runs asynchronous code on one thread in virtual time: when nothing is left to do, the clock goes to the next timer.</summary>
internal sealed class VirtualThread : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> work = new();

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (work)
        {
            work.Enqueue((d, state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    /// <summary>Runs to the end, or fails when it waits for something that no timer brings.</summary>
    /// <param name="limitSeconds">Virtual time after which it is taken to hang.</param>
    public static TResult Run<TResult>(VirtualTime time, Func<Task<TResult>> body, double limitSeconds = 1e7)
    {
        var before = Current;
        var thread = new VirtualThread();
        SetSynchronizationContext(thread);
        try
        {
            var task = body();
            while (!task.IsCompleted)
            {
                if (thread.Next() is { } next)
                {
                    next.Callback(next.State);
                }
                else
                {
                    Assert.True(time.Advance(), $"At {time.Seconds} s nothing is left to do, and the task has not ended.");
                    Assert.True(time.Seconds < limitSeconds, $"The task has not ended by {time.Seconds} s.");
                }
            }

            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    private (SendOrPostCallback Callback, object? State)? Next()
    {
        lock (work)
        {
            return work.TryDequeue(out var next) ? next : null;
        }
    }
}
