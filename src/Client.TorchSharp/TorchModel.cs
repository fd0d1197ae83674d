using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Client.TorchSharp.Binding;
using Federated.Client.TorchSharp.Data;
using Federated.Client.TorchSharp.Losses;
using Federated.Training;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp;

/// <summary>
/// Any module with a loss, as a model of this project: flat parameters in, mean loss and flat gradient out. So the local objectives,
/// evaluators and simulators that know only <see cref="IModel{T}"/> work on it unchanged.
/// </summary>
/// <remarks>
/// Belongs to one thread at a time; dispose scopes are the thread's own. Tensors of a batch are freed when its call returns. A module that
/// draws random numbers (dropout) is seeded by the task, and such modules take turns within a process (see <see cref="TorchRuntime.Seed"/>).
/// </remarks>
public sealed class TorchModel : IModel<float>, IDisposable
{
    private readonly Func<TensorModule> create;
    private readonly InitialValues? initialize;
    private readonly ITorchLoss loss;
    private readonly ITorchBatchReader reader;
    private readonly ScalarType computing;

    /// <param name="create">Makes the module, the same one every time up to its random initial values.</param>
    /// <exception cref="TrainingException">libtorch or the device is missing, or the module cannot be trained this way.</exception>
    public TorchModel(Func<TensorModule> create, ITorchLoss loss, ITorchBatchReader reader, TorchModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(create);
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(reader);
        var (engine, values) = options is null ? (new TorchTrainerOptions(), null) : (options.Engine, options.Initialize);
        var device = TorchRuntime.DeviceOf(engine.Device);
        if (engine.Precision == TorchPrecision.Float16 && device.type == DeviceType.CPU)
        {
            throw new TrainingException("float16 needs a GPU: libtorch has no float16 arithmetic on CPUs. Set precision: bfloat16, or device: cuda.");
        }

        TorchRuntime.UseThreads(engine.OperatorThreads);
        (this.create, initialize, this.loss, this.reader) = (create, values, loss, reader);

        // A new module draws its initial values, also when they will be overwritten: not in the middle of somebody's seeded task.
        using var turn = TorchRuntime.Seed(0);
        Flat = new FlatModule(Made(), device, engine.Precision, engine.Buffers);
        computing = engine.Precision switch { TorchPrecision.Bfloat16 => bfloat16, TorchPrecision.Float16 => float16, _ => float32 };
        DrawsRandomNumbers = engine.DrawsRandomNumbers || Flat.Module.modules().Any(m => m.GetType().Name.Contains("Dropout", StringComparison.Ordinal));
    }

    public ParameterLayout Layout => Flat.Layout;

    /// <summary>The module, bound to its flat buffers.</summary>
    public FlatModule Flat { get; }

    /// <summary>Whether training draws from libtorch's generator.</summary>
    public bool DrawsRandomNumbers { get; }

    public void Initialize(Span<float> parameters, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (initialize is not null)
        {
            initialize(parameters, random);
            return;
        }

        using var turn = TorchRuntime.Seed(random.NextUInt64());
        using var fresh = new FlatModule(Made(), CPU, TorchPrecision.Float32, Flat.Buffers);
        fresh.Store(parameters);
    }

    public double Gradient(ReadOnlySpan<float> parameters, in Batch<float> batch, Span<float> gradient)
    {
        Flat.Load(parameters);
        var mean = Backward(in batch);
        Flat.StoreGradient(gradient);
        return mean;
    }

    public Evaluation Evaluate(ReadOnlySpan<float> parameters, in Batch<float> batch)
    {
        Flat.Load(parameters);
        return Evaluate(in batch);
    }

    /// <summary>Scores the parameters that are loaded.</summary>
    public Evaluation Evaluate(in Batch<float> batch)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        Flat.Module.eval();
        var (input, target) = reader.Read(in batch, Flat.Device);
        return loss.Score(Forward(input), target);
    }

    public void Dispose() => Flat.Dispose();

    /// <summary>Mean loss at the parameters that are loaded; the gradient is in <see cref="FlatModule.Gradient"/>.</summary>
    internal double Backward(in Batch<float> batch, double lossScale = 1)
    {
        using var scope = NewDisposeScope();
        Flat.Module.train();
        Flat.ClearGradient();
        var (input, target) = reader.Read(in batch, Flat.Device);
        var mean = loss.Mean(Forward(input), target);
        (lossScale == 1 ? mean : mean * lossScale).backward();
        Flat.CollectGradient(lossScale);
        return mean.ToDouble();
    }

    private Tensor Forward(Tensor input)
    {
        var output = Flat.Module.call(input.is_floating_point() && input.dtype != computing ? input.to(computing) : input);
        return output.dtype == float32 ? output : output.to(float32);
    }

    private TensorModule Made() => create() ?? throw new TrainingException("The factory of the module returned null; it must make a module each time.");
}
