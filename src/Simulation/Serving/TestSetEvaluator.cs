using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Protocol;
using Federated.Simulation.Engine;
using Federated.Training.Data;
using Federated.Training.LocalTraining;

namespace Federated.Simulation.Serving;

/// <summary>Evaluates versions on the experiment's test set, in the order of the simulator's own evaluation: the same bits.</summary>
internal sealed class TestSetEvaluator<T>(ILocalTrainer<T> trainer, FederatedData data) : IRunEvaluator
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Worker<T> worker = new(trainer, data);
    private readonly T[] parameters = new T[trainer.Model.Layout.Count];
    private readonly int[] test = [.. Enumerable.Range(0, data.Test.Count)];

    public async ValueTask<(double Accuracy, double Loss)> EvaluateAsync(int version, BlobReference model, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        var stream = await blobs.OpenAsync(model, cancellation).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            SafetensorsReader.Open(stream).Read<T>(trainer.Model.Layout, parameters);
        }

        var pass = new EvaluationPass<T>(parameters, data.Test, test);
        pass.Help(worker);
        pass.Wait();
        var evaluation = pass.Sum();
        return (evaluation.Accuracy, evaluation.Loss);
    }
}
