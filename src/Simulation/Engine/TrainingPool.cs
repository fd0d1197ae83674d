using System.Numerics;
using System.Runtime.ExceptionServices;
using Federated.Aggregation.Compression.Feedback;
using Federated.Coordinator.Models;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation.Engine;

/// <summary>
/// Trains simulated clients on all cores while the timeline goes on: a job begins whenever a worker is free, and the simulation waits for
/// it only when its update is due. A job's delta depends on its own inputs alone, so that the bits are the same on any number of threads.
/// </summary>
/// <remarks>
/// The design follows decentralized-learning-simulator (EPFL SaCS): the timing is decided first, the computing follows. Each thread owns
/// one resident model and trainer. The simulation's own thread is one of the workers: it does what is due and not begun, and helps while
/// it waits; with one thread there is no other, no lock is taken and nothing is done before it is due, so cancelled jobs cost nothing.
/// Deltas finished ahead of time are bounded (<see cref="Lookahead"/>), so memory is O(d·(threads + lookahead)) plus the versions held.
/// </remarks>
internal sealed class TrainingPool<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Bytes of finished deltas that may wait for their virtual time.</summary>
    private const long LookaheadBytes = 256L << 20;

    /// <summary>Turns of spinning before a thread sleeps: about as long as waking it would take.</summary>
    private const int SpinLimit = 200;

    private readonly object gate = new();
    private readonly Worker<T> own;
    private readonly Thread[] threads;
    private readonly PendingJobs<T> pending;
    private readonly Stack<TrainingJob<T>> spare = new();
    private readonly Stack<T[]> deltas = new();
    private readonly int d;
    private volatile EvaluationPass<T>? evaluation;
    private TrainingJob<T>? awaited;
    private int ahead;
    private int sleeping;
    private volatile int news;
    private volatile bool stopping;

    /// <param name="threads">Threads that compute, the caller's included; 1 or more.</param>
    /// <param name="createWorker">Makes one thread's model and trainer.</param>
    public TrainingPool(int threads, Func<Worker<T>> createWorker)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        own = createWorker();
        d = own.ParameterCount;
        Lookahead = (int)Math.Clamp(LookaheadBytes / ((long)d * System.Runtime.CompilerServices.Unsafe.SizeOf<T>()), 2L * threads, 1024);
        pending = new PendingJobs<T>(Math.Min(32, Lookahead));
        this.threads = new Thread[threads - 1];
        for (var i = 0; i < this.threads.Length; i++)
        {
            var worker = createWorker();
            this.threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"federated-train-{i + 1}" };
            this.threads[i].Start();
        }
    }

    /// <summary>Deltas that may be finished before their virtual time.</summary>
    public int Lookahead { get; }

    /// <summary>Lets a job be done; the version is held until <see cref="Release"/>.</summary>
    /// <param name="due">Virtual time at which <see cref="Complete"/> will be called.</param>
    /// <param name="exchange">What the objective exchanges; null when that is nothing.</param>
    /// <param name="encoder">The client's encoder; null when updates travel as they are.</param>
    public TrainingJob<T> Begin(
        ModelVersion<T> version, int client, int steps, ulong seed, double rateFactor, double due, LocalExchange<T>? exchange, IUpdateEncoder<T>? encoder)
    {
        version.Hold();
        if (threads.Length == 0)
        {
            return Prepare(version, client, steps, seed, rateFactor, due, exchange, encoder);
        }

        lock (gate)
        {
            var job = Prepare(version, client, steps, seed, rateFactor, due, exchange, encoder);
            pending.Add(job);
            Announce();
            return job;
        }
    }

    /// <summary>Waits until the job is done, doing it or others meanwhile.</summary>
    public LocalResult Complete(TrainingJob<T> job)
    {
        if (threads.Length == 0)
        {
            job.Delta = RentDelta();
            Execute(own, job);
            job.State = JobState.Done;
        }
        else
        {
            CompleteAmongOthers(job);
        }

        if (job.Error is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }

        return job.Result;
    }

    /// <summary>Gives the job's buffers back; a job that nobody has begun will never be.</summary>
    public void Release(TrainingJob<T> job)
    {
        if (threads.Length == 0)
        {
            GiveBack(job);
            return;
        }

        lock (gate)
        {
            if (job.State == JobState.Running && job.Encoder is null)
            {
                job.State = JobState.Abandoned; // Its worker gives it back.
                return;
            }

            // The client's next task will use the same encoder: this one must be through with it.
            WaitFor(job);

            if (job.State == JobState.Done)
            {
                ahead--;
                Announce();
            }

            GiveBack(job);
        }
    }

    /// <summary>Evaluates parameters on all threads; the sums are added in the order of the examples, whoever computed them.</summary>
    public Evaluation Evaluate(EvaluationPass<T> pass)
    {
        if (threads.Length > 0)
        {
            lock (gate)
            {
                evaluation = pass;
                news++;
                Monitor.PulseAll(gate);
            }
        }

        pass.Help(own);
        evaluation = null;
        pass.Wait();
        return pass.Sum();
    }

    public void Dispose()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.PulseAll(gate);
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }
    }

    private void CompleteAmongOthers(TrainingJob<T> job)
    {
        while (job.State != JobState.Done)
        {
            if (Help(job) is { } mine)
            {
                Execute(own, mine);
                Finish(mine);
                continue;
            }

            // A worker has it, and there is nothing to help with.
            var spins = default(SpinWait);
            while (job.State != JobState.Done && spins.Count < SpinLimit)
            {
                spins.SpinOnce(sleep1Threshold: -1);
            }

            lock (gate)
            {
                WaitFor(job);
            }
        }
    }

    /// <summary>Sleeps while a worker has the job; the caller has the lock.</summary>
    private void WaitFor(TrainingJob<T> job)
    {
        awaited = job;
        while (job.State == JobState.Running)
        {
            Monitor.Wait(gate);
        }

        awaited = null;
    }

    /// <summary>The awaited job itself if nobody has begun it, else the one due first.</summary>
    private TrainingJob<T>? Help(TrainingJob<T> job)
    {
        lock (gate)
        {
            var mine = job.State == JobState.Pending ? job
                : job.State == JobState.Running && ahead < Lookahead ? pending.TakeFirst()
                : null;
            if (mine is not null)
            {
                Start(mine);
            }

            return mine;
        }
    }

    private void Work(Worker<T> worker)
    {
        while (Next(worker) is { } job)
        {
            Execute(worker, job);
            Finish(job);
        }
    }

    /// <summary>The next job for a worker, or null when the pool stops; evaluations are helped with in between.</summary>
    private TrainingJob<T>? Next(Worker<T> worker)
    {
        var spins = default(SpinWait);
        while (!stopping)
        {
            if (evaluation is { HasWork: true } pass)
            {
                pass.Help(worker);
                spins.Reset();
            }

            int seen;
            lock (gate)
            {
                seen = news;
                if (ahead < Lookahead && pending.TakeLongest() is { } job)
                {
                    Start(job);
                    return job;
                }

                if (spins.Count >= SpinLimit && !stopping && evaluation is not { HasWork: true })
                {
                    sleeping++;
                    Monitor.Wait(gate);
                    sleeping--;
                    spins.Reset();
                }
            }

            while (news == seen && spins.Count < SpinLimit)
            {
                spins.SpinOnce(sleep1Threshold: -1);
            }
        }

        return null;
    }

    /// <summary>Tells one idle worker that there may be something to do.</summary>
    private void Announce()
    {
        news++;
        if (sleeping > 0)
        {
            Monitor.Pulse(gate);
        }
    }

    private void Start(TrainingJob<T> job)
    {
        job.State = JobState.Running;
        job.Delta = RentDelta();
        ahead++;
    }

    private void Finish(TrainingJob<T> job)
    {
        lock (gate)
        {
            if (job.State == JobState.Abandoned)
            {
                ahead--;
                GiveBack(job);
            }
            else
            {
                job.State = JobState.Done;
            }

            if (awaited == job)
            {
                Monitor.PulseAll(gate); // The simulation sleeps among the workers: all must look.
            }
        }
    }

    private static void Execute(Worker<T> worker, TrainingJob<T> job)
    {
        try
        {
            job.Result = worker.Train(job);
        }
        catch (Exception e)
        {
            job.Error = e; // Thrown again where the job is awaited.
        }
    }

    private TrainingJob<T> Prepare(
        ModelVersion<T> version, int client, int steps, ulong seed, double rateFactor, double due, LocalExchange<T>? exchange, IUpdateEncoder<T>? encoder)
    {
        var job = spare.TryPop(out var used) ? used : new TrainingJob<T>();
        job.Reset(version, client, steps, seed, rateFactor, due, exchange, encoder);
        return job;
    }

    private T[] RentDelta() => deltas.TryPop(out var delta) ? delta : new T[d];

    private void GiveBack(TrainingJob<T> job)
    {
        job.State = JobState.Released;
        job.Version.Release();
        if (job.Delta is { } delta)
        {
            deltas.Push(delta);
            job.Delta = null;
        }

        spare.Push(job);
    }
}
