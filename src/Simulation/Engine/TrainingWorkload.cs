using System.Numerics;
using System.Runtime.CompilerServices;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Privacy.Pipeline;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Results;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Engine;

/// <summary>Real training on real data behind a timeline: local trainers on a pool of threads, and the server's model state.</summary>
/// <remarks>
/// A task's delta is a pure function of (base version, client, steps, run seed, assignment id). Deltas that are not finite are told as
/// such and never reach the aggregator.
/// </remarks>
internal sealed class TrainingWorkload<T> : IWorkload
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly FederatedData data;
    private readonly LocalTrainingOptions options;
    private readonly ModelState<T> state;
    private readonly TrainingPool<T> pool;
    private readonly ulong seed;
    private readonly int versions;
    private readonly int[] test;
    private readonly ClientMemory<T> memory;
    private readonly Attackers<T> attackers;
    private readonly long extraBytesUp;
    private readonly bool encodes;
    private readonly PrivacyOptions privacy;
    private readonly AggregateProbe<T>? probe;
    private TrainingJob<T>?[] jobs = new TrainingJob<T>?[64];

    /// <param name="createTrainer">Makes one thread's trainer.</param>
    /// <param name="state">The run's model, aggregator and server optimizer.</param>
    /// <param name="compression">How updates are encoded on their way up.</param>
    /// <param name="versions">Versions that the run is to publish, for schedules; 0 when open-ended.</param>
    /// <param name="threads">Threads that compute, the simulation's own included.</param>
    /// <param name="attack">What Byzantine clients do; without it there are none.</param>
    /// <param name="privacy">What clients do to their updates before these leave them; the server's part is the state's.</param>
    /// <param name="measures">Whether lengths and cosines of updates are measured, for people who watch; never under a privacy policy, which would not have them told.</param>
    public TrainingWorkload(
        Func<ILocalTrainer<T>> createTrainer, FederatedData data, LocalTrainingOptions options, CompressionOptions compression, ModelState<T> state, ulong seed, int versions, int threads,
        AttackOptions? attack = null, PrivacyOptions? privacy = null, bool measures = false)
    {
        attack ??= new NoAttack();
        this.privacy = privacy ?? new NoPrivacyOptions();
        attackers = new Attackers<T>(attack);
        (this.data, this.options, this.state, this.versions) = (data, options, state, versions);
        this.seed = RunComposition.TrainingSeed(seed);
        test = [.. Enumerable.Range(0, data.Test.Count)];
        var trainingSet = Attackers<T>.TrainingSets(attack, data.Train);
        var d = state.Current.Parameters.Length;
        probe = measures && this.privacy is NoPrivacyOptions ? new AggregateProbe<T>(state.Current.Parameters) : null;
        pool = new TrainingPool<T>(
            threads, () => new Worker<T>(createTrainer(), data, trainingSet, Protection()));

        // A sum's grid and noise follow from the run, not from the policy's options alone.
        IClientProtection<T>? Protection() => state.Privacy is { Policy.SecureSum: not null } run ? run.Policy.CreateClient() : PrivacyPolicies.CreateClient<T>(this.privacy, d);
        var objective = LocalObjectiveKinds.Create<T>(options.Objective);
        var encoder = UpdateCodecs.CreateEncoder<T>(compression, d);
        encodes = encoder.Name != UpdateCodecs.NoFeedback || encoder.Codec.Name != UpdateCodecs.Identity;
        memory = new ClientMemory<T>(objective, encodes ? () => UpdateCodecs.CreateEncoder<T>(compression, d) : null, d);
        var bytes = (long)d * Unsafe.SizeOf<T>();
        extraBytesUp = objective.ClientTensors.Count * bytes;
        var delta = encodes ? encoder.Codec.MaximumWireSize(d) : state.Privacy is { Policy.ReportBytes: > 0 and var report } ? report : bytes;
        Bytes = (bytes * (1 + objective.ServerTensors.Count), delta + extraBytesUp);
    }

    /// <summary>A client's encoder, to be looked into or restored between its tasks; null when updates travel as they are.</summary>
    public IUpdateEncoder<T>? EncoderOf(int client) => memory.EncoderOf(client);

    /// <summary>What a client remembers for its objective: nothing before its first accepted update.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<T>> StateOf(int client) => memory.StateOf(client);

    public bool CanEvaluate => test.Length > 0;

    public (long Down, long Up) Bytes { get; }

    /// <summary>n_i; 0 where clients do not trust the server with it.</summary>
    public double Examples(int client) => privacy switch
    {
        RandomizedReportOptions or ExamplePrivacyOptions => 0,
        SecureSumOptions { LargestExamples: > 0 and var largest } => Math.Min(largest, data.Clients[client].Train.Length),
        _ => data.Clients[client].Train.Length,
    };

    public double Epsilon => state.Privacy is { Policy.Guarantees: true } run ? run.Policy.Spent?.Epsilon ?? 0 : double.NaN;

    public int StepsFor(int client, LocalWork work) => work.StepsFor(data.Clients[client].Train.Length, options.BatchSize);

    public void Begin(int slot, Assignment assignment, int steps, double due)
    {
        if (slot >= jobs.Length)
        {
            Array.Resize(ref jobs, Math.Max(slot + 1, jobs.Length * 2));
        }

        if (assignment.BaseVersion != state.Current.Version)
        {
            throw new SimulationException(
                $"{assignment.Id} starts from version {assignment.BaseVersion}, but the model is at {state.Current.Version}. This is a defect.");
        }

        var client = assignment.Client.Value;
        jobs[slot] = pool.Begin(
            state.Current, client, steps, RunComposition.TaskSeed(seed, assignment),
            RateSchedule.Factor(options.Schedule, assignment.BaseVersion, versions), due,
            memory.ExchangeOf(client, state.Current.Extras), memory.EncoderOf(client));
    }

    public TaskResult Complete(int slot)
    {
        var job = jobs[slot]!;
        var result = pool.Complete(job);
        var bytes = encodes ? job.Message.WrittenCount + extraBytesUp : Bytes.Up;

        // Under a policy an update that is not finite counts as zero: that it was not would tell of the client's data, as its loss would.
        return privacy is NoPrivacyOptions
            ? new TaskResult(result.IsFinite, result.MeanLoss, result.StepWeight, bytes)
            : new TaskResult(true, double.NaN, result.StepWeight, bytes);
    }

    public void Accept(int slot)
    {
        if (jobs[slot]!.Result.IsFinite)
        {
            memory.Commit(jobs[slot]!.Client, jobs[slot]!.Exchange);
        }
    }

    public void Reject(int slot) => state.Privacy?.Witness(jobs[slot]!.Client);

    public double NormOf(int slot) => slot < jobs.Length && jobs[slot] is { } job ? job.Norm : double.NaN;

    public AggregateMeasures LastMeasures { get; private set; } = AggregateMeasures.None;

    public void Accumulate(int slot, Accumulate effect)
    {
        var job = jobs[slot]!;
        if (probe is not null && job.Delta is { } learned)
        {
            job.Norm = probe.Take(learned);
        }

        var extras = job.Exchange?.ToServer.ToDictionary(pair => pair.Key, pair => (ReadOnlyMemory<T>)pair.Value);
        if (job.Encoder is not { } encoder)
        {
            attackers.Accumulate(state, effect, job.Delta, job.Version.Parameters, extras);
        }
        else if (attackers.See(effect.Assignment.Client.Value))
        {
            encoder.Codec.DecodeInto(job.Message.WrittenSpan, job.Delta);
            attackers.Accumulate(state, effect, job.Delta, job.Version.Parameters, extras);
        }
        else
        {
            state.AccumulateEncoded(effect, encoder.Codec, job.Message.WrittenSpan, job.Version.Parameters, extras);
        }
    }

    public void Discard(int slot)
    {
        if (slot < jobs.Length && jobs[slot] is { } job)
        {
            jobs[slot] = null;
            pool.Release(job);
        }
    }

    public double Publish(Publish effect)
    {
        attackers.Publish(state);
        var report = state.Publish(effect);
        LastMeasures = (probe?.Publish(state.LastPseudoGradient, state.Current.Parameters) ?? AggregateMeasures.None) with { LeftOut = privacy is NoPrivacyOptions ? report.LeftOut : null };
        return report.WeightSum;
    }

    public Evaluation Evaluate() => EvaluateAll(state.Deployed);

    /// <summary>Any parameters on the pooled test set.</summary>
    public Evaluation EvaluateAll(T[] parameters) => pool.Evaluate(new EvaluationPass<T>(parameters, data.Test, test));

    /// <summary>Any parameters on each client's own test examples, for those who have some.</summary>
    public IReadOnlyList<ClientScore> ScoreClients(T[] parameters)
    {
        var scores = new List<ClientScore>();
        for (var client = 0; client < data.Clients.Count; client++)
        {
            var shard = data.Clients[client];
            if (shard.Test.Length > 0)
            {
                var own = pool.Evaluate(new EvaluationPass<T>(parameters, data.Test, shard.Test));
                scores.Add(new ClientScore(client, shard.Name, own.Count, own.Accuracy, own.Loss));
            }
        }

        return scores;
    }

    public void Dispose() => pool.Dispose();
}
