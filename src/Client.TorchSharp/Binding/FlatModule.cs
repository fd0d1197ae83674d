using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Federated.Aggregation.Parameters;
using Federated.Training;
using Federated.Training.LocalTraining;
using TorchSharp.Modules;

namespace Federated.Client.TorchSharp.Binding;

/// <summary>
/// A module whose trainable parameters lie one after the other in one buffer, and their gradients in another, so that the whole model is
/// one span: what travels is read and written without going through its tensors. The module itself does not notice.
/// </summary>
/// <remarks>
/// The parameters' storages are replaced by views of the buffer, and their gradients by views of the gradients' buffer, into which
/// backward passes then accumulate in place. Names are those of the module's state_dict, as in PyTorch. Frozen parameters
/// (requires_grad = false) stay where they are and do not travel: so it is that of a model with adapters only the adapters do.
/// Computing in half precision, the module holds copies in that format and the float32 buffer is the master. On a GPU the buffers live
/// there, and <see cref="Load"/> and <see cref="Store"/> cost one transfer of d values.
/// Belongs to one thread at a time. Cost: 2·d floats, half as much again in half precision, d more for transfers to a GPU.
/// </remarks>
public sealed class FlatModule : IDisposable
{
    private readonly ImmutableArray<Travelling> travelling;
    private readonly ImmutableArray<Remembered> initial;
    private readonly Tensor values;
    private readonly Tensor parameters;
    private readonly Tensor gradient;
    private readonly Tensor? working;
    private readonly Tensor? workingGradient;
    private readonly Tensor? host;
    private readonly ImmutableArray<Parameter> own;
    private ImmutableArray<Parameter> masters;
    private Parameter? whole;

    /// <param name="module">Owned from now on.</param>
    /// <param name="device">Where it is to compute.</param>
    /// <exception cref="TrainingException">A parameter is not float32, or there is nothing to train.</exception>
    public FlatModule(TensorModule module, Device device, TorchPrecision precision = TorchPrecision.Float32, BufferPolicy buffers = BufferPolicy.Travel)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(device);
        (Module, Device, Precision, Buffers) = (module, device, precision, buffers);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        if (device.type != DeviceType.CPU)
        {
            module.to(device);
        }

        Layout = LayoutOf(module, buffers, out var trained);
        values = Kept(zeros(Layout.Count, dtype: float32, device: device));
        parameters = Kept(values.narrow(0, 0, trained));
        gradient = Kept(zeros(trained, dtype: float32, device: device));
        host = device.type == DeviceType.CPU ? null : Kept(empty(Layout.Count, dtype: float32));
        CopyIn(module);
        if (precision != TorchPrecision.Float32)
        {
            var type = precision == TorchPrecision.Bfloat16 ? bfloat16 : float16;
            module.to(type);
            working = Kept(parameters.to(type, copy: true));
            workingGradient = Kept(zeros_like(working));
        }

        own = [.. Trainable(module).Select(p => p.Parameter)];
        Bind(own, working ?? parameters, workingGradient ?? gradient);
        travelling = [.. Layout.Tensors.Skip(own.Length).Select(spec => new Travelling(BufferOf(module, spec.Name), Kept(values.narrow(0, spec.Offset, spec.Length))))];
        initial = [.. Floating(module).Where(_ => buffers == BufferPolicy.Reset).Concat(Counters(module).Where(_ => buffers != BufferPolicy.Keep))
            .Select(b => new Remembered(b, Kept(b.clone())))];
    }

    public TensorModule Module { get; }

    public Device Device { get; }

    public TorchPrecision Precision { get; }

    public BufferPolicy Buffers { get; }

    /// <summary>The parameters that travel, in the module's order, then the buffers that do.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>p, the trained parameters: the first p of the layout's d values.</summary>
    public int TrainedCount => (int)gradient.numel();

    /// <summary>The float32 parameters, p values on <see cref="Device"/>. Call <see cref="Changed"/> after writing to them.</summary>
    public Tensor Parameters => parameters;

    /// <summary>The float32 gradients, p values on <see cref="Device"/>.</summary>
    public Tensor Gradient => gradient;

    /// <summary>The float32 gradients, where they are in main memory.</summary>
    /// <exception cref="InvalidOperationException">They are on a GPU.</exception>
    public Span<float> GradientSpan => host is null ? Floats(gradient) : throw new InvalidOperationException("The gradients are on a GPU.");

    /// <summary>The parameters one by one, float32, with their gradients, for optimizers that treat them one by one.</summary>
    public IReadOnlyList<Parameter> Masters
    {
        get
        {
            if (masters.IsDefault)
            {
                masters = working is null ? own : [.. Layout.Tensors.Take(own.Length).Select(spec => Master(spec.Offset, spec.Length, [.. spec.Shape.Select(e => (long)e)]))];
            }

            return masters;
        }
    }

    /// <summary>All parameters as one, for optimizers that go by coordinates: one operation per step however many tensors there are.</summary>
    public Parameter Whole => whole ??= Master(0, TrainedCount, [TrainedCount]);

    /// <summary>Takes d values in; buffers follow their policy.</summary>
    public void Load(ReadOnlySpan<float> source)
    {
        LoadParameters(source);
        using var quiet = no_grad();
        foreach (var buffer in travelling)
        {
            buffer.Restore();
        }

        foreach (var buffer in initial)
        {
            buffer.Restore();
        }
    }

    /// <summary>Takes d values in, and leaves the module's buffers alone.</summary>
    public void LoadParameters(ReadOnlySpan<float> source)
    {
        CheckLength(source.Length);
        using var quiet = no_grad();
        source.CopyTo(Floats(host ?? values));
        if (host is not null)
        {
            values.copy_(host);
        }

        Changed();
    }

    /// <summary>Writes d values out.</summary>
    public void Store(Span<float> destination)
    {
        CheckLength(destination.Length);
        using var quiet = no_grad();
        foreach (var buffer in travelling)
        {
            buffer.Collect();
        }

        host?.copy_(values);
        Floats(host ?? values).CopyTo(destination);
    }

    /// <summary>Takes p gradients in.</summary>
    public void LoadGradient(ReadOnlySpan<float> source)
    {
        if (host is null)
        {
            source[..TrainedCount].CopyTo(Floats(gradient));
            return;
        }

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var part = host.narrow(0, 0, TrainedCount);
        source[..TrainedCount].CopyTo(Floats(host));
        gradient.copy_(part);
    }

    /// <summary>Writes d gradients out; those of buffers are zero.</summary>
    public void StoreGradient(Span<float> destination)
    {
        CheckLength(destination.Length);
        destination[TrainedCount..].Clear();
        if (host is null)
        {
            Floats(gradient).CopyTo(destination);
            return;
        }

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        host.narrow(0, 0, TrainedCount).copy_(gradient);
        Floats(host)[..TrainedCount].CopyTo(destination);
    }

    /// <summary>Before a backward pass.</summary>
    public void ClearGradient() => (workingGradient ?? gradient).zero_();

    /// <summary>After a backward pass: the gradients are in <see cref="Gradient"/>, divided by the loss scale.</summary>
    public void CollectGradient(double lossScale = 1)
    {
        using var quiet = no_grad();
        if (workingGradient is not null)
        {
            gradient.copy_(workingGradient);
        }

        if (lossScale != 1)
        {
            gradient.mul_(1 / lossScale);
        }
    }

    /// <summary>After <see cref="Parameters"/> was written to: what the module computes with follows.</summary>
    public void Changed()
    {
        if (working is not null)
        {
            using var quiet = no_grad();
            working.copy_(parameters);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in travelling.Select(t => t.View).Concat(initial.Select(i => i.Value)).Concat(working is null || masters.IsDefault ? [] : masters)
            .Concat(new Tensor?[] { whole, parameters, values, gradient, working, workingGradient, host }.OfType<Tensor>()))
        {
            tensor.Dispose();
        }

        Module.Dispose();
    }

    private static Tensor Kept(Tensor tensor) => tensor.DetachFromDisposeScope();

    private static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private static IEnumerable<(string Name, Parameter Parameter)> Trainable(TensorModule module) =>
        module.named_parameters().Where(p => p.parameter.requires_grad).Select(p => (p.name, p.parameter));

    private static IEnumerable<Tensor> Floating(TensorModule module) => module.named_buffers().Select(b => b.buffer).Where(b => b.is_floating_point());

    private static IEnumerable<Tensor> Counters(TensorModule module) => module.named_buffers().Select(b => b.buffer).Where(b => !b.is_floating_point());

    private static Tensor BufferOf(TensorModule module, string name) => module.named_buffers().First(b => b.name == name).buffer;

    private static ParameterLayout LayoutOf(TensorModule module, BufferPolicy buffers, out int trained)
    {
        var tensors = new List<(string, int[])>();
        foreach (var (name, parameter) in Trainable(module))
        {
            if (parameter.dtype != ScalarType.Float32)
            {
                throw new TrainingException($"Parameter '{name}' is {parameter.dtype}; a module must be made in float32. Choose the precision of the computing by the trainer's options.");
            }

            tensors.Add((name, [.. parameter.shape.Select(extent => checked((int)extent))]));
        }

        trained = ParameterLayout.Of([.. tensors]).Count;
        if (trained == 0)
        {
            throw new TrainingException($"Module '{module.GetName()}' has no parameter that requires a gradient; there is nothing to train.");
        }

        if (buffers == BufferPolicy.Travel)
        {
            tensors.AddRange(module.named_buffers().Where(b => b.buffer.is_floating_point()).Select(b => (b.name, b.buffer.shape.Select(extent => checked((int)extent)).ToArray())));
        }

        return ParameterLayout.Of([.. tensors]);
    }

    private void CopyIn(TensorModule module)
    {
        var tensors = Trainable(module).Select(p => (Tensor)p.Parameter).Concat(Layout.Tensors.Where(spec => spec.Offset >= TrainedCount).Select(spec => BufferOf(module, spec.Name)));
        foreach (var (tensor, spec) in tensors.Zip(Layout.Tensors))
        {
            values.narrow(0, spec.Offset, spec.Length).copy_(tensor.reshape(-1));
        }
    }

    private void Bind(ImmutableArray<Parameter> module, Tensor storage, Tensor gradients)
    {
        for (var i = 0; i < module.Length; i++)
        {
            var spec = Layout.Tensors[i];
            long[] shape = [.. spec.Shape.Select(extent => (long)extent)];
            module[i].set_(storage.narrow(0, spec.Offset, spec.Length).view(shape));
            module[i].grad = gradients.narrow(0, spec.Offset, spec.Length).view(shape);
        }
    }

    private Parameter Master(long offset, long length, long[] shape)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var master = new Parameter(parameters.narrow(0, offset, length).view(shape));
        master.grad = gradient.narrow(0, offset, length).view(shape);
        master.DetachFromDisposeScope();
        return master;
    }

    private void CheckLength(int length)
    {
        if (length != Layout.Count)
        {
            throw new ArgumentException($"The module has {Layout.Count} values that travel; the buffer holds {length}.");
        }
    }

    private readonly record struct Travelling(Tensor Buffer, Tensor View)
    {
        public void Restore()
        {
            using var shaped = View.view(Buffer.shape);
            Buffer.copy_(shaped);
        }

        public void Collect()
        {
            using var flat = Buffer.reshape(-1);
            View.copy_(flat);
        }
    }

    private readonly record struct Remembered(Tensor Buffer, Tensor Value)
    {
        public void Restore() => Buffer.copy_(Value);
    }
}
