using System.Collections.Concurrent;
using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation.Serving;

/// <summary>Trainers by plan, shared by the clients of a process: a model's memory is taken once per core, not once per client.</summary>
/// <param name="engine">Trains in place of the managed kernels; null for those.</param>
/// <param name="options">That engine's options.</param>
public sealed class ManagedTrainers(ITrainerFactory? engine = null, TrainerOptions? options = null)
{
    private readonly ConcurrentDictionary<string, Lazy<PlannedTrainers>> byPlan = new(StringComparer.Ordinal);

    /// <exception cref="SimulationException">The plan is not one that this build understands, or needs what it lacks.</exception>
    internal PlannedTrainers For(JsonElement plan) =>
        byPlan.GetOrAdd(plan.GetRawText(), text => new Lazy<PlannedTrainers>(() => new PlannedTrainers(Parse(text), engine, options ?? new ManagedTrainerOptions()))).Value;

    private static ClientPlan Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return ClientPlan.Parse(document.RootElement);
    }
}

/// <summary>The trainers of one plan.</summary>
internal sealed class PlannedTrainers
{
    private readonly ConcurrentBag<ILocalTrainer<float>> idle = [];
    private readonly ITrainerFactory? engine;
    private readonly TrainerOptions options;
    private readonly Evaluator<float> evaluator;

    public PlannedTrainers(ClientPlan plan, ITrainerFactory? engine, TrainerOptions options)
    {
        if (plan.Precision != NumberFormat.Float32)
        {
            throw new SimulationException($"The run computes in {plan.Precision}; clients on devices train in float32. Set precision: float32 in the experiment.");
        }

        (Plan, this.engine, this.options) = (plan, engine, options);
        evaluator = new Evaluator<float>(() => Create().Model);
    }

    public ClientPlan Plan { get; }

    public ILocalTrainer<float> Rent() => idle.TryTake(out var trainer) ? trainer : Create();

    public void Return(ILocalTrainer<float> trainer) => idle.Add(trainer);

    public Evaluation Evaluate(ReadOnlyMemory<float> parameters, ClientExamples examples) => evaluator.Evaluate(parameters, examples.TestSet, examples.Test);

    /// <summary>Refuses a model whose tensors are not the plan's.</summary>
    public void Check(ParameterLayout layout)
    {
        var trainer = Rent();
        var own = trainer.Model.Layout;
        Return(trainer);
        if (!own.Equals(layout))
        {
            throw new SimulationException($"The model from the coordinator ({layout}) is not the one that the plan describes ({own}). This is a defect of the coordinator.");
        }
    }

    private ILocalTrainer<float> Create() => engine is null
        ? new LocalTrainer<float>(ModelFactory.Create<float>(Plan.Model, Plan.ExampleShape, Plan.Classes), Plan.Training)
        : engine.Create(options, Plan.Model, Plan.ExampleShape, Plan.Classes, Plan.Training);
}
