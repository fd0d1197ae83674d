using System.Text.Json;
using Federated.Aggregation;
using Federated.Aggregation.Parameters;
using Federated.Client.Analytics;
using Federated.Client.Privacy;
using Federated.Client.Store;
using Federated.Client.Training;
using Federated.Client.Transport;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>One assignment from its message to a pending update: fetch, train, protect, encode, store.</summary>
/// <param name="compute">Runs what keeps a core busy.</param>
/// <param name="guard">Has judged the assignment; null for a client that asks nothing.</param>
internal sealed class TaskRunner(
    ModelFetcher fetcher, IRunStore store, ITrainer trainer, FederatedClientOptions options, TimeProvider clock, Func<Action, Task> compute, PrivacyGuard? guard)
{
    /// <param name="isReady">Whether the client takes more work once this is done; asked when it is.</param>
    /// <returns>The update, stored durably; or why there is none.</returns>
    public async Task<WorkResult> RunAsync(AssignmentMessage assignment, WorkWatch watch, Func<bool> isReady)
    {
        try
        {
            if (PlanOf(assignment) is { } question)
            {
                return await AnswerAsync(assignment, question, watch, isReady);
            }

            var started = clock.GetTimestamp();
            var (layout, model) = await fetcher.FetchModelAsync(assignment.Model, watch.Token);
            var extras = new Dictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal);
            foreach (var (name, blob) in assignment.Extras)
            {
                extras[name] = await fetcher.FetchVectorAsync(name, blob, layout, watch.Token);
            }

            var download = clock.GetElapsedTime(started);
            WorkResult result = default;
            await ComputeAsync(() => result = Train(assignment, layout, model, extras, download, isReady, watch.Token), watch.Token);
            return watch.Reason is { } stopped ? Stopped(stopped, watch) : result;
        }
        catch (OperationCanceledException) when (watch.Reason is { } stopped)
        {
            return Stopped(stopped, watch);
        }
        catch (ClientException e) when (e.Problem is null or { NeedsEnrolment: false, Type: not Problem.ProtocolVersion })
        {
            // A model that is not there: the assignment is given again at the next check-in if it still stands, perhaps from another version.
            var isGone = e.Problem?.Status is 404 or 410;
            return new WorkResult(null, e.Message, TellsCoordinator: !isGone, isGone ? null : e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new WorkResult(null, $"the device cannot store what it needs: {e.Message}", TellsCoordinator: true, e);
        }
    }

    private static AnalysisPlan? PlanOf(AssignmentMessage assignment)
    {
        try
        {
            return AnalysisPlan.Of(assignment.Training);
        }
        catch (JsonException e)
        {
            throw new ClientException($"The run asks a question that this client does not know: {e.Message} Update it.", e);
        }
    }

    private async Task<WorkResult> AnswerAsync(AssignmentMessage assignment, AnalysisPlan question, WorkWatch watch, Func<bool> isReady)
    {
        if (trainer is not IAnalyst analyst)
        {
            return new WorkResult(null, $"the run asks '{question.Analysis.Question}', and this client only trains", TellsCoordinator: true, null);
        }

        WorkResult result = default;
        await ComputeAsync(
            () =>
            {
                var (pending, reason, error) = new AnswerTask(store, analyst, guard).Run(assignment, question, isReady, watch.Token);
                result = new WorkResult(pending, reason, TellsCoordinator: pending is null, error);
            },
            watch.Token);
        return result.Pending is null && watch.Reason is { } stopped ? Stopped(stopped, watch) : result;
    }

    /// <summary>Evaluates a version; null when the trainer keeps out of it.</summary>
    public async Task<EvaluationReport?> EvaluateAsync(EvaluationMessage request, CancellationToken cancellation)
    {
        var (layout, model) = await fetcher.FetchModelAsync(request.Model, cancellation);
        EvaluationResult? result = null;
        await ComputeAsync(
            () => result = trainer.Evaluate(
                new EvaluationTask(layout, model) { Run = options.Run, Version = request.Version, Plan = request.Training }, cancellation),
            cancellation);
        return result is { } r ? new EvaluationReport(r.Examples, r.Accuracy, r.Loss) : null;
    }

    private static ulong SeedOf(AssignmentMessage assignment) =>
        ulong.TryParse(assignment.Seed, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var seed)
            ? seed
            : throw new ClientException($"The assignment's seed is '{assignment.Seed}'; a decimal number below 2^64 is needed.");

    private static WorkResult Stopped(string reason, WorkWatch watch) => new(null, reason, watch.TellsCoordinator, null);

    /// <summary>Runs what keeps a core busy, when it is this client's turn.</summary>
    public async Task ComputeAsync(Action work, CancellationToken cancellation)
    {
        if (options.ComputeGate is not { } gate)
        {
            await compute(work);
            return;
        }

        await gate.WaitAsync(cancellation);
        try
        {
            await compute(work);
        }
        finally
        {
            gate.Release();
        }
    }

    private WorkResult Train(
        AssignmentMessage assignment, ParameterLayout layout, float[] model, Dictionary<string, ReadOnlyMemory<float>> extras, TimeSpan download,
        Func<bool> isReady, CancellationToken cancellation)
    {
        var memory = ClientMemory.Read(store, layout.Count);
        var task = new TrainingTask(layout, model, p => options.Observer.On(new Progressed(assignment.Id, p.Steps, p.Loss)))
        {
            Run = options.Run,
            Assignment = assignment.Id,
            BaseVersion = assignment.BaseVersion,
            Work = WorkOf(assignment),
            Plan = assignment.Training,
            Seed = SeedOf(assignment),
            RateFactor = assignment.RateFactor,
            FromServer = extras,
            State = ClientMemory.Of(memory, ClientMemory.Objective),
        };
        var started = clock.GetTimestamp();
        TrainingResult result;
        try
        {
            result = trainer.Train(task, cancellation);
            cancellation.ThrowIfCancellationRequested();
            Check(task, result);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            return new WorkResult(null, $"the trainer failed: {e.Message}", TellsCoordinator: true, e);
        }

        if (!Finite.All<float>(task.Delta) && assignment.Privacy is not null)
        {
            task.Delta.Clear(); // That a training diverged says something of its data: it goes up as a protected zero.
        }
        else if (assignment.Codec != UpdateEncoding.Safetensors && !Finite.All<float>(task.Delta))
        {
            return new WorkResult(null, "the training diverged: the delta is not finite, and no codec can carry that", TellsCoordinator: true, null);
        }

        if (UpdateProtection.SumsSecurely(assignment.Privacy))
        {
            if (task.ToServer.Count + task.NextState.Count > 0 || assignment.Codec != UpdateEncoding.Safetensors)
            {
                return new WorkResult(null, "the run asks for a secure sum, and for vectors, a memory or a codec beside it, which would go around it", TellsCoordinator: true, null);
            }

            // Never on disk: after a crash it could be sent into a second sum, and the two compared.
            var sum = UpdateProtection.SumOf(assignment.Privacy!.Value, task.Delta.ToArray(), result.Examples, result.Steps);
            guard?.Charge(sum.Sum.ToPlan(sum.ClipNorm, sum.Delta.Length));
            return new WorkResult(null, "", false, null) { Sum = sum };
        }

        return new WorkResult(Stage(assignment, task, result, memory, download, clock.GetElapsedTime(started), isReady), "", false, null);
    }

    private PendingUpdate Stage(
        AssignmentMessage assignment, TrainingTask task, TrainingResult result, Dictionary<string, ReadOnlyMemory<float>> memory,
        TimeSpan download, TimeSpan training, Func<bool> isReady)
    {
        guard?.Charge(task.ToServer.Count > 0); // Before anything of the update is on disk, from where it would be sent whatever happens.
        UpdateProtection.Apply(assignment.Privacy, task.Delta, task.ToServer.Count > 0);
        var codecMemory = new Dictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal);
        var encode = UpdateEncoding.Encode(
            assignment.Codec, assignment.Training, task.Layout, task.DeltaMemory, task.Seed, ClientMemory.Of(memory, ClientMemory.Codec), codecMemory);
        var way = UpdateProtection.WayOf(assignment.Privacy);
        string? proof = null;
        if (way is var (protection, shuffle))
        {
            using var encoded = new MemoryStream();
            encode(encoded);
            var envelope = UpdateProtection.Seal(encoded.GetBuffer().AsSpan(0, (int)encoded.Length), protection, shuffle);
            proof = UpdateProtection.ProofOf(shuffle);
            encode = stream => stream.Write(envelope);
        }

        var declaration = new UpdateDeclaration
        {
            Delta = store.WritePart(encode),
            Extras = task.ToServer.ToDictionary(up => up.Key, up => store.WritePart(new SafetensorsWriter().Add(task.Layout, up.Value).WriteTo), StringComparer.Ordinal),
            Examples = UpdateProtection.HidesExamples(assignment.Privacy) || guard?.Requirements.KeepsScores == true ? 0 : result.Examples,
            LocalSteps = result.Steps,
            StepWeight = result.StepWeight == 0 ? result.Steps : result.StepWeight,
            TrainingLoss = assignment.Privacy is null && double.IsFinite(result.MeanLoss) ? result.MeanLoss : null, // A loss tells of the data.
            DownloadSeconds = download.TotalSeconds,
            TrainSeconds = training.TotalSeconds,
            Ready = isReady(),
        };

        // What this assignment did not touch stays as it was.
        foreach (var (name, values) in codecMemory)
        {
            memory[ClientMemory.Codec + name] = values;
        }

        foreach (var (name, values) in task.NextState)
        {
            memory[ClientMemory.Objective + name] = values;
        }

        var remembers = codecMemory.Count + task.NextState.Count > 0;
        var pending = new PendingUpdate(assignment.Id, assignment.BaseVersion, declaration, remembers)
        {
            Shuffler = way?.Way.Url,
            TicketProof = proof,
        };
        store.Stage(pending, remembers ? ClientMemory.Writer(memory) : null);
        return pending;
    }

    private LocalWork WorkOf(AssignmentMessage assignment)
    {
        if (assignment.Steps > 0)
        {
            return LocalWork.OfSteps(assignment.Steps);
        }

        if (assignment.Epochs > 0)
        {
            return LocalWork.OfEpochs(assignment.Epochs);
        }

        var batchSize = assignment.Training.ValueKind == JsonValueKind.Object && assignment.Training.TryGetProperty("batchSize", out var size)
            && size.TryGetInt32(out var number) ? number : 0;
        return LocalWork.OfSteps(Math.Max(1, options.Participation.ChooseSteps(new Participation.EffortQuestion(trainer.Examples, batchSize, assignment.SecondsLeft))));
    }

    private static void Check(TrainingTask task, TrainingResult result)
    {
        if (result.Steps < 1 || !(result.Examples >= 0))
        {
            throw new ClientException($"A training result needs 1 or more steps and 0 or more examples; there are {result.Steps} steps and {result.Examples} examples.");
        }

        foreach (var (name, values) in task.ToServer.Concat(task.NextState))
        {
            if (values.Length != task.Layout.Count)
            {
                throw new ClientException($"The trainer's vector '{name}' has {values.Length} values; the model has {task.Layout.Count}.");
            }
        }
    }
}

/// <summary>What came of an assignment on the device.</summary>
/// <param name="Pending">The stored update; null when there is none.</param>
/// <param name="Reason">Why there is none.</param>
/// <param name="TellsCoordinator">Whether the coordinator has to be told.</param>
/// <param name="Error">What the trainer, or this client, could not do.</param>
internal readonly record struct WorkResult(PendingUpdate? Pending, string Reason, bool TellsCoordinator, Exception? Error)
{
    /// <summary>The update of a run that sums securely: not stored, and not to be sent as it is.</summary>
    public SumInput? Sum { get; init; }
}
