using Federated.Coordinator.Runs;
using Federated.Protocol;
using Federated.Training.Models;

namespace Federated.Simulation.Engine;

/// <summary>No training at all: the timeline alone, to study schedulers and clocks, or to time the engine.</summary>
/// <param name="examples">n_i of a client.</param>
/// <param name="batchSize">Examples per step, for work asked in epochs; 0 for the full batch.</param>
/// <param name="modelBytes">Bytes of one model, each way.</param>
public sealed class TimelineWorkload(Func<int, int> examples, int batchSize, long modelBytes) : IWorkload
{
    public bool CanEvaluate => false;

    public (long Down, long Up) Bytes => (modelBytes, modelBytes);

    public double Examples(int client) => examples(client);

    public int StepsFor(int client, LocalWork work) => work.StepsFor(examples(client), batchSize);

    public void Begin(int slot, Assignment assignment, int steps, double due)
    {
    }

    public TaskResult Complete(int slot) => new(true, double.NaN, 0, modelBytes);

    public void Accept(int slot)
    {
    }

    public void Accumulate(int slot, Accumulate effect)
    {
    }

    public void Discard(int slot)
    {
    }

    public double Publish(Publish effect) => double.NaN;

    public Evaluation Evaluate() => throw new InvalidOperationException("There is no model to evaluate.");

    public void Dispose()
    {
    }
}
