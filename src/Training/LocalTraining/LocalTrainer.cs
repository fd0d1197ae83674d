using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation;
using Federated.Training.LocalObjectives;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Training.LocalTraining;

/// <summary>
/// Trains one client after the other on one resident model: parameters go in, a delta comes out, nothing is kept in between but memory.
/// One instance per worker thread; which worker trains which client does not change a bit of the result.
/// </summary>
/// <remarks>
/// Algorithm 1's ClientUpdate of McMahan et al. 2017 with the local objective's term: per step g ← G(y; batch) + linear + quadratic·y, clipped,
/// then the optimizer. With plain SGD and no clipping the step is fused into the gradient's own pass (<see cref="IResidentModel{T}"/>), where weight
/// decay and the quadratic term become a factor on y. No allocation per step.
/// </remarks>
public sealed class LocalTrainer<T> : ILocalTrainer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IModel<T> model;
    private readonly IResidentModel<T>? resident;
    private readonly LocalTrainingOptions options;
    private readonly ILocalOptimizer<T> optimizer;
    private readonly ILocalObjective<T> objective;
    private readonly MiniBatches<T> batches = new();
    private readonly T[] linear;
    private T[] local = [];
    private T[] gradient = [];

    public LocalTrainer(IModel<T> model, LocalTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        (this.model, this.options) = (model, options);
        objective = LocalObjectiveKinds.Create<T>(options.Objective);
        optimizer = LocalOptimizers.Create<T>(options.Optimizer, model.Layout.Count);
        var isPlainSgd = options.Optimizer is SgdOptions { Momentum: 0 };
        if (objective.NeedsPlainSgd && !isPlainSgd)
        {
            throw new TrainingException(
                $"The objective '{objective.Name}' reads a mean gradient off the distance travelled, which momentum and Adam distort: use SGD with momentum 0.");
        }

        if (options.Noise is not null)
        {
            throw new TrainingException("Noise for single examples needs the gradient of every single example, which the managed kernels never form. Set trainer: torch.");
        }

        linear = options.Objective is PlainObjectiveOptions ? [] : new T[model.Layout.Count];
        resident = isPlainSgd && options.Optimizer.ClipNorm == 0 && !objective.HasOwnGradient ? model as IResidentModel<T> : null;
    }

    public IModel<T> Model => model;

    public ILocalObjective<T> Objective => objective;

    public LocalResult Train(in LocalTask<T> task, Span<T> delta)
    {
        var d = model.Layout.Count;
        BatchGuard.CheckLength(task.Start.Length, d, nameof(task));
        BatchGuard.CheckLength(delta.Length, d, nameof(delta));
        ArgumentOutOfRangeException.ThrowIfNegative(task.Steps, nameof(task));
        batches.Begin(task.Data, task.Examples, options.BatchSize, task.Seed);
        var run = new LocalRun<T>(model, task.Start, task.Data, task.Examples, task.Exchange ?? LocalExchange<T>.Empty);
        var term = objective.Begin(in run, linear);
        var rate = options.Optimizer.LearningRate * task.RateFactor;
        var result = resident is null
            ? Steps(in task, term, rate, delta)
            : ResidentSteps(resident, in task, term, rate, delta);
        TensorPrimitives.Subtract(delta, task.Start, delta);
        if (!result.IsFinite || !Finite.All<T>(delta))
        {
            return result with { IsFinite = false };
        }

        if (result.Steps > 0)
        {
            objective.End(in run, new LocalOutcome<T>(delta, result.Steps, result.Steps * rate));
        }

        return result;
    }

    private LocalResult ResidentSteps(IResidentModel<T> fused, in LocalTask<T> task, LocalTerm term, double rate, Span<T> end)
    {
        fused.Load(task.Start, term.HasLinear ? linear : default);
        var keep = T.CreateTruncating(1.0 - (rate * (options.Optimizer.WeightDecay + term.Quadratic)));
        var step = T.CreateTruncating(rate);
        var progress = new LocalProgress(rate * term.Quadratic, 0);
        while (progress.Steps < task.Steps && progress.Add(fused.Step(batches.Next(), keep, step)))
        {
            task.Cancellation.ThrowIfCancellationRequested();
        }

        fused.Store(end);
        return progress.Result;
    }

    private LocalResult Steps(in LocalTask<T> task, LocalTerm term, double rate, Span<T> end)
    {
        if (gradient.Length == 0)
        {
            (gradient, local) = (new T[end.Length], new T[end.Length]);
        }

        optimizer.Reset();
        task.Start.CopyTo(local);
        var progress = new LocalProgress(rate * term.Quadratic, optimizer.Momentum, options.Optimizer is SgdOptions { Nesterov: true });
        while (progress.Steps < task.Steps)
        {
            task.Cancellation.ThrowIfCancellationRequested();
            var batch = batches.Next();
            var loss = objective.HasOwnGradient
                ? objective.Gradient(model, local, in batch, gradient)
                : model.Gradient(local, in batch, gradient);
            if (term.HasLinear)
            {
                TensorPrimitives.Add<T>(gradient, linear, gradient);
            }

            if (term.Quadratic != 0)
            {
                TensorPrimitives.MultiplyAdd<T>(local, T.CreateTruncating(term.Quadratic), gradient, gradient);
            }

            Clip();
            optimizer.Step(local, gradient, rate);
            if (!progress.Add(loss))
            {
                break;
            }
        }

        local.CopyTo(end);
        return progress.Result;
    }

    private void Clip()
    {
        if (options.Optimizer.ClipNorm == 0)
        {
            return;
        }

        var norm = Math.Sqrt(VectorNorm.Squared<T>(gradient));
        if (norm > options.Optimizer.ClipNorm)
        {
            TensorPrimitives.Multiply<T>(gradient, T.CreateTruncating(options.Optimizer.ClipNorm / norm), gradient);
        }
    }
}
