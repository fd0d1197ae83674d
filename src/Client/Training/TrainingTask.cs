using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Protocol;

namespace Federated.Client.Training;

/// <summary>One assignment, as a trainer sees it.</summary>
public sealed class TrainingTask
{
    private readonly float[] model;
    private readonly float[] delta;
    private readonly Action<TrainingProgress> progress;

    /// <summary>A task outside a session, for a trainer's own tests.</summary>
    /// <param name="layout">Names and shapes of the d parameters.</param>
    /// <param name="model">w, the parameters to start from (d values); not copied.</param>
    public TrainingTask(ParameterLayout layout, float[] model)
        : this(layout, model, _ => { })
    {
    }

    internal TrainingTask(ParameterLayout layout, float[] model, Action<TrainingProgress> progress)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNotEqual(model.Length, layout.Count);
        (Layout, this.model, this.progress) = (layout, model, progress);
        delta = new float[layout.Count];
    }

    /// <summary>The run's id.</summary>
    public string Run { get; init; } = "";

    /// <summary>The assignment's number within the run.</summary>
    public long Assignment { get; init; }

    /// <summary>The version to start from.</summary>
    public int BaseVersion { get; init; }

    /// <summary>How much to do, in steps or in passes over the data; the participation policy has filled in what the run left to the client.</summary>
    public LocalWork Work { get; init; } = LocalWork.OfEpochs(1);

    /// <summary>Names, shapes and offsets of the parameters in <see cref="Model"/> and <see cref="Delta"/>.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>w, the parameters to start from (d values).</summary>
    public ReadOnlySpan<float> Model => model;

    /// <summary>Receives local − w (d values); zeros at first.</summary>
    public Span<float> Delta => delta;

    /// <summary>The run's local training plan, as docs/protocol.md describes it: batch size, optimizer, objective.</summary>
    public JsonElement Plan { get; init; }

    /// <summary>Of mini-batches and of everything else that is drawn and need not be secret.</summary>
    public ulong Seed { get; init; }

    /// <summary>Factor on the plan's learning rate at this version.</summary>
    public double RateFactor { get; init; } = 1;

    /// <summary>Vectors that came down beside the model (SCAFFOLD's c), d values each, by name.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<float>> FromServer { get; init; } = Nothing;

    /// <summary>What this client remembers of its last accepted update, d values each, by name; a name that is absent means zeros.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<float>> State { get; init; } = Nothing;

    /// <summary>Filled by the trainer: vectors that go up beside the delta, d values each, by name.</summary>
    public IDictionary<string, ReadOnlyMemory<float>> ToServer { get; } = new SortedDictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal);

    /// <summary>
    /// Filled by the trainer: what to remember once the coordinator has accepted this update, d values each, by name. Until then, and
    /// when it is refused, <see cref="State"/> stays as it is.
    /// </summary>
    public IDictionary<string, ReadOnlyMemory<float>> NextState { get; } = new SortedDictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal);

    internal Memory<float> DeltaMemory => delta;

    private static Dictionary<string, ReadOnlyMemory<float>> Nothing { get; } = [];

    /// <summary>Tells whoever watches how far the training is.</summary>
    public void Report(int steps, double loss) => progress(new TrainingProgress(steps, loss));
}

/// <summary>How far a training is.</summary>
/// <param name="Steps">Local steps done.</param>
/// <param name="Loss">A recent loss; NaN when not told.</param>
public readonly record struct TrainingProgress(int Steps, double Loss);
