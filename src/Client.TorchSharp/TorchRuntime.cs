using Federated.Training;

namespace Federated.Client.TorchSharp;

/// <summary>What is one per process in libtorch: whether it is there at all, its threads, its devices, and its random numbers.</summary>
public static class TorchRuntime
{
    private static readonly Lazy<string?> LoadProblem = new(Load);
    private static readonly Lock RandomNumbers = new();

    /// <summary>Why libtorch cannot be used on this machine, in one sentence; null when it can.</summary>
    public static string? Problem => LoadProblem.Value;

    /// <summary>Throws unless libtorch is there.</summary>
    /// <exception cref="TrainingException">The native libraries cannot be loaded.</exception>
    public static void Require()
    {
        if (Problem is { } problem)
        {
            throw new TrainingException($"The torch trainer cannot be used on this machine: {problem} Set trainer: managed, or install what is missing.");
        }
    }

    /// <summary>Sets the threads that one operation may use, for the whole process.</summary>
    public static void UseThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Require();
        if (get_num_threads() != threads)
        {
            set_num_threads(threads);
        }
    }

    /// <summary>The device of a name: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</summary>
    /// <exception cref="TrainingException">There is no such device here.</exception>
    public static Device DeviceOf(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Require();
        if (name == "cpu")
        {
            return CPU;
        }

        if (!name.StartsWith("cuda", StringComparison.Ordinal))
        {
            throw new TrainingException($"The torch trainer computes on cpu, cuda or cuda:N; there is no device '{name}'.");
        }

        if (!TryInitializeDeviceType(DeviceType.CUDA) || !cuda.is_available())
        {
            throw new TrainingException(
                $"Device '{name}' needs a GPU, its driver and the CUDA build of libtorch (TorchSharp-cuda-linux or -windows in place of TorchSharp-cpu); one of them is missing. Set device: cpu.");
        }

        var index = name.Length > 5 ? int.Parse(name.AsSpan(5), System.Globalization.CultureInfo.InvariantCulture) : 0;
        return index < cuda.device_count()
            ? device(DeviceType.CUDA, index)
            : throw new TrainingException($"Device '{name}' does not exist: this machine has {cuda.device_count()} GPUs, counted from cuda:0.");
    }

    /// <summary>
    /// Seeds libtorch's generators and keeps everybody else from them until the result is disposed: they are one per process, so that work
    /// which draws from them must be done one piece after the other to have the same result every time.
    /// </summary>
    /// <remarks>Hold it on one thread; work that draws nothing does not need it. Making a module draws.</remarks>
    public static IDisposable Seed(ulong seed)
    {
        Require();
        RandomNumbers.Enter();
        random.manual_seed(unchecked((long)seed));
        return new Turn();
    }

    private static string? Load()
    {
        try
        {
            using var probe = zeros(1);
            return null;
        }
        catch (Exception failure) when (failure is NotSupportedException or TypeInitializationException or DllNotFoundException or EntryPointNotFoundException)
        {
            // TorchSharp's message carries the whole trace of where it looked; the first line says what is missing.
            var cause = (failure as TypeInitializationException)?.InnerException ?? failure;
            return $"{cause.Message.Split('\n')[0].Trim().TrimEnd('.')}.";
        }
    }

    private sealed class Turn : IDisposable
    {
        private bool over;

        public void Dispose()
        {
            if (!over)
            {
                over = true;
                RandomNumbers.Exit();
            }
        }
    }
}
