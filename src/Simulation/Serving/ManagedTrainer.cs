using Federated.Client.Analytics;
using Federated.Client.Training;
using Federated.Privacy.Analytics;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;

namespace Federated.Simulation.Serving;

/// <summary>The ready-made trainer of <c>fed client</c>: the run's plan, carried out by the same local trainer as in a simulation.</summary>
/// <remarks>An assignment's delta is the simulation's, to the bit, for the same examples and the same assignment.</remarks>
/// <param name="trainers">Shared by the clients of a process.</param>
/// <param name="data">This client's examples.</param>
/// <param name="answers">Answers the questions of runs that ask; null to answer none.</param>
public sealed class ManagedTrainer(ManagedTrainers trainers, IClientData data, IAnalyst? answers = null) : ITrainer, IAnalyst
{
    private ClientExamples? examples;

    public double Examples => examples?.Train.Length ?? data.Examples ?? 0;

    public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(task);
        var planned = trainers.For(task.Plan);
        planned.Check(task.Layout);
        var own = examples ??= data.Load(planned.Plan);
        var trainer = planned.Rent();
        try
        {
            var objective = trainer.Objective;
            var exchange = objective.ServerTensors.Count + objective.ClientState.Count + objective.ClientTensors.Count == 0
                ? null
                : LocalExchange<float>.For(objective.ClientTensors, objective.ClientState, task.Layout.Count, task.FromServer, task.State);
            var result = trainer.Train(
                new LocalTask<float>
                {
                    Start = task.Model,
                    Data = own.TrainSet,
                    Examples = own.Train,
                    Steps = task.Work.StepsFor(own.Train.Length, planned.Plan.BatchSize),
                    Seed = task.Seed,
                    RateFactor = task.RateFactor,
                    Exchange = exchange,
                    Cancellation = cancellation,
                },
                task.Delta);
            HandOver(task, exchange, result.IsFinite);
            task.Report(result.Steps, result.MeanLoss);
            return new TrainingResult(own.Train.Length, result.Steps, result.MeanLoss, result.StepWeight);
        }
        finally
        {
            planned.Return(trainer);
        }
    }

    public AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation) => answers?.Answer(question, cancellation);

    public EvaluationResult? Evaluate(EvaluationTask task, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(task);
        var planned = trainers.For(task.Plan);
        planned.Check(task.Layout);
        var own = examples ??= data.Load(planned.Plan);
        if (own.Test.Length == 0)
        {
            return null;
        }

        var score = planned.Evaluate(task.Model.ToArray(), own);
        return new EvaluationResult(score.Count, score.Accuracy, score.Loss);
    }

    private static void HandOver(TrainingTask task, LocalExchange<float>? exchange, bool isFinite)
    {
        foreach (var (name, values) in exchange?.ToServer ?? new Dictionary<string, Memory<float>>())
        {
            task.ToServer[name] = values;
        }

        // A training that diverged has left nothing to remember.
        foreach (var (name, values) in isFinite && exchange is not null ? exchange.PendingState : new Dictionary<string, Memory<float>>())
        {
            task.NextState[name] = values;
        }
    }
}
