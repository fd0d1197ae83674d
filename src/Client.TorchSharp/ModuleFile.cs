using System.Runtime.InteropServices;
using Federated.Aggregation.Parameters;

namespace Federated.Client.TorchSharp;

/// <summary>
/// A module's state_dict as a safetensors file, which PyTorch and others read as it is, and the other way round: fixed and trained
/// parameters and floating-point buffers, by PyTorch's names, as float32.
/// </summary>
/// <remarks>Integer buffers (batch normalisation's counters) are neither written nor read: load with <c>strict=False</c> there. Cost: one pass, one tensor at a time.</remarks>
public static class ModuleFile
{
    /// <summary>Writes the module's state.</summary>
    public static void Save(nn.Module module, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in State(module))
        {
            var values = new float[checked((int)tensor.numel())];
            MemoryMarshal.Cast<byte, float>(tensor.detach().to(float32, CPU).contiguous().bytes).CopyTo(values);
            writer.Add<float>(LayoutOf(name, tensor), values);
        }

        writer.WriteTo(stream);
    }

    /// <summary>Reads a state into the module, in place.</summary>
    /// <param name="stream">Seekable, at the file's start: its tensors may stand in any order.</param>
    /// <param name="ignoreOthers">Whether tensors that the module lacks are passed over (counters of a PyTorch file, for example); otherwise they are refused.</param>
    /// <exception cref="Aggregation.AggregationException">A tensor is missing, of another shape, not floating point, or unknown to the module.</exception>
    public static void Load(nn.Module module, Stream stream, bool ignoreOthers = false)
    {
        ArgumentNullException.ThrowIfNull(module);
        Load(stream, State(module), ignoreOthers);
    }

    internal static void Load(Stream stream, IEnumerable<(string Name, Tensor Tensor)> state, bool ignoreOthers)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var tensors = state.ToList();
        var layout = ParameterLayout.Of([.. tensors.Select(t => (t.Name, Shape(t.Tensor)))]);
        var values = new float[layout.Count];
        SafetensorsReader.Open(stream).Read<float>(layout, values, ignoreOthers: ignoreOthers);
        foreach (var (name, tensor) in tensors)
        {
            var spec = layout[name];
            var source = empty(tensor.shape, dtype: float32);
            spec.In<float>(values).CopyTo(MemoryMarshal.Cast<byte, float>(source.bytes));
            tensor.copy_(source);
        }
    }

    private static IEnumerable<(string Name, Tensor Tensor)> State(nn.Module module) =>
        module.state_dict().Where(entry => entry.Value.is_floating_point()).Select(entry => (entry.Key, entry.Value));

    private static ParameterLayout LayoutOf(string name, Tensor tensor) => ParameterLayout.Of((name, Shape(tensor)));

    private static int[] Shape(Tensor tensor) => [.. tensor.shape.Select(extent => checked((int)extent))];
}
