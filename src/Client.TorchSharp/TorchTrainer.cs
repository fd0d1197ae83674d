using System.Runtime.InteropServices;
using Federated.Aggregation;
using Federated.Client.TorchSharp.Binding;
using Federated.Client.TorchSharp.Optimizers;
using Federated.Client.TorchSharp.Privacy;
using Federated.Training;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Federated.Client.TorchSharp;

/// <summary>
/// Trains any module with any loss and optimizer, one client after the other: what <see cref="LocalTrainer{T}"/> does on managed kernels,
/// with the same batches, objectives, clipping and results.
/// </summary>
/// <remarks>
/// Algorithm 1's ClientUpdate of McMahan et al. 2017: per step g ← G(y; batch) + linear + quadratic·y, clipped, then the optimizer. On the CPU
/// with one operator thread a task's delta depends on the task alone, to the bit. On a GPU some of libtorch's kernels sum in the order in
/// which threads finish: results agree to rounding. A whole task runs on the calling thread, in dispose scopes of its own: one around the
/// task, one per batch. Cost over the managed trainer: two copies of d values per task.
/// </remarks>
public sealed class TorchTrainer : ILocalTrainer<float>, IDisposable
{
    private readonly TorchModel model;
    private readonly FlatModule flat;
    private readonly LocalTrainingOptions local;
    private readonly TorchOptimizer optimizer;
    private readonly ILocalObjective<float> objective;
    private readonly PrivateGradient? privateGradient;
    private readonly MiniBatches<float> batches = new();
    private readonly LossScale scale;
    private readonly float[] linear;
    private readonly Tensor? linearTensor;
    private float[] position = [];
    private float[] direction = [];

    /// <param name="model">Owned from now on.</param>
    /// <exception cref="TrainingException">Objective, optimizer, buffers or privacy do not go together; the message says what to change.</exception>
    public TorchTrainer(TorchModel model, TorchTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        (this.model, flat, local) = (model, model.Flat, options.Local);
        optimizer = options.Optimizer ?? TorchOptimizer.Of(local.Optimizer);
        objective = LocalObjectiveKinds.Create<float>(local.Objective);
        TrainerGuard.Check(flat, objective, local, optimizer, options.Privacy);
        privateGradient = options.Privacy is { } privacy ? new PrivateGradient(model, privacy, local.BatchSize) : null;
        scale = new LossScale(flat.Precision == TorchPrecision.Float16);
        linear = local.Objective is PlainObjectiveOptions ? [] : new float[model.Layout.Count];
        if (linear.Length > 0)
        {
            using var scope = NewDisposeScope();
            linearTensor = zeros(flat.TrainedCount, dtype: float32, device: flat.Device).DetachFromDisposeScope();
        }
    }

    public IModel<float> Model => model;

    public ILocalObjective<float> Objective => objective;

    public LocalResult Train(in LocalTask<float> task, Span<float> delta) => Train(in task, delta, null);

    /// <summary>Does the task and writes local − start (d values) into <paramref name="delta"/>.</summary>
    /// <param name="progress">Told the steps done and the last loss; null for nobody. Not told the loss under differential privacy.</param>
    /// <exception cref="OperationCanceledException">Between two steps; under differential privacy between two examples.</exception>
    public LocalResult Train(in LocalTask<float> task, Span<float> delta, Action<int, double>? progress)
    {
        var d = model.Layout.Count;
        if (task.Start.Length != d || delta.Length != d)
        {
            throw new ArgumentException($"The model has {d} values; the task starts from {task.Start.Length} and the delta holds {delta.Length}.", nameof(task));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(task.Steps, nameof(task));
        using var scope = NewDisposeScope();
        using var turn = model.DrawsRandomNumbers ? TorchRuntime.Seed(task.Seed) : null;
        batches.Begin(task.Data, task.Examples, local.BatchSize, task.Seed);
        privateGradient?.Begin(task.Data, task.Examples, task.Seed);
        scale.Reset();
        var run = new LocalRun<float>(model, task.Start, task.Data, task.Examples, task.Exchange ?? LocalExchange<float>.Empty);
        var term = objective.Begin(in run, linear);
        flat.Load(task.Start);
        LoadLinear(term);
        var rate = optimizer.LearningRate * task.RateFactor;
        var result = Steps(task.Steps, term, rate, progress, task.Cancellation);
        flat.Store(delta);
        TensorPrimitives.Subtract(delta, task.Start, delta);
        if (!result.IsFinite || !Finite.All<float>(delta))
        {
            return result with { IsFinite = false };
        }

        if (result.Steps > 0)
        {
            objective.End(in run, new LocalOutcome<float>(delta, result.Steps, result.Steps * rate));
        }

        return privateGradient is null ? result : result with { MeanLoss = double.NaN }; // The loss would tell what the noise hides.
    }

    public void Dispose()
    {
        linearTensor?.Dispose();
        privateGradient?.Dispose();
        model.Dispose();
    }

    private LocalResult Steps(int steps, LocalTerm term, double rate, Action<int, double>? progress, CancellationToken cancellation)
    {
        using var stepper = optimizer.Create(flat, rate);
        var tally = new LocalProgress(rate * term.Quadratic, optimizer.Momentum, optimizer.Nesterov);
        while (tally.Steps < steps)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var loss = Direction(cancellation);
            using (no_grad())
            {
                AddTerm(term);
                Clip();
            }

            stepper.step();
            flat.Changed();
            var goesOn = tally.Add(loss);
            progress?.Invoke(tally.Steps, privateGradient is null ? loss : double.NaN);
            if (!goesOn)
            {
                break;
            }
        }

        return tally.Result;
    }

    /// <summary>Puts G of the next batch where the optimizer looks for it; returns the mean loss.</summary>
    private double Direction(CancellationToken cancellation)
    {
        if (privateGradient is not null)
        {
            privateGradient.Compute(cancellation);
            return 0;
        }

        var batch = batches.Next();
        if (objective.HasOwnGradient)
        {
            return OwnDirection(in batch);
        }

        while (true)
        {
            var loss = model.Backward(in batch, scale.Value);
            if (flat.Precision != TorchPrecision.Float16 || scale.Accepts(flat.Gradient.isfinite().all().ToBoolean()))
            {
                return loss;
            }
        }
    }

    /// <summary>An objective that looks for gradients elsewhere moves the model there: the position is put back afterwards.</summary>
    private double OwnDirection(in Batch<float> batch)
    {
        if (position.Length == 0)
        {
            (position, direction) = (new float[model.Layout.Count], new float[model.Layout.Count]);
        }

        flat.Store(position);
        var loss = objective.Gradient(model, position, in batch, direction);
        flat.LoadParameters(position);
        flat.LoadGradient(direction);
        return loss;
    }

    private void LoadLinear(LocalTerm term)
    {
        if (!term.HasLinear)
        {
            return;
        }

        // The first p of d: buffers have no gradient that a term could join.
        var trained = linear.AsSpan(0, flat.TrainedCount);
        if (flat.Device.type == DeviceType.CPU)
        {
            trained.CopyTo(MemoryMarshal.Cast<byte, float>(linearTensor!.bytes));
            return;
        }

        using var host = empty(trained.Length, dtype: float32);
        trained.CopyTo(MemoryMarshal.Cast<byte, float>(host.bytes));
        linearTensor!.copy_(host);
    }

    private void AddTerm(LocalTerm term)
    {
        if (term.HasLinear)
        {
            flat.Gradient.add_(linearTensor!);
        }

        if (term.Quadratic != 0)
        {
            flat.Gradient.add_(flat.Parameters, term.Quadratic);
        }
    }

    private void Clip()
    {
        var bound = local.Optimizer.ClipNorm;
        if (bound == 0)
        {
            return;
        }

        var norm = flat.Gradient.norm().ToDouble();
        if (norm > bound)
        {
            flat.Gradient.mul_(bound / norm);
        }
    }
}
