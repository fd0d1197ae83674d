using System.Collections.Immutable;

namespace Federated.Protocol;

/// <summary>What a client says of the update it returns; the numbers themselves are blobs.</summary>
public sealed record UpdateReport
{
    /// <summary>n_i, the examples the client trained on.</summary>
    public required double Examples { get; init; }

    /// <summary>K_i, the local steps really done.</summary>
    public required int LocalSteps { get; init; }

    /// <summary>Mean training loss over the local steps; NaN when not told.</summary>
    public double TrainingLoss { get; init; } = double.NaN;

    /// <summary>‖a_i‖₁ of FedNova, the accumulated step weight of the local solver; K_i for plain SGD, 0 when not told.</summary>
    public double StepWeight { get; init; }

    /// <summary>False when the host found NaN or infinity in the delta; such an update is rejected.</summary>
    public bool IsFinite { get; init; } = true;

    /// <summary>The delta; null in a simulation, where the host keeps it by assignment id.</summary>
    public BlobReference? Delta { get; init; }

    /// <summary>Extra tensors sent up by the local objective (SCAFFOLD's control delta, …), by name.</summary>
    public ImmutableDictionary<string, BlobReference> Extras { get; init; } = ImmutableDictionary<string, BlobReference>.Empty;

    public long BytesUp { get; init; }

    public long BytesDown { get; init; }

    /// <summary>Seconds spent: fetching the model, training, sending the update.</summary>
    public (double Download, double Train, double Upload) Seconds { get; init; }
}
