namespace Federated.Aggregation;

/// <summary>One accepted update on its way into an aggregate.</summary>
/// <param name="client">Id of the client; contributions that are held are combined in ascending client id, then sequence.</param>
/// <param name="delta">d coordinates, add-form: local parameters − base parameters. Finite; the caller has checked.</param>
/// <param name="weight">What the scheduler gives it: example weight × staleness weight. ≥ 0.</param>
public readonly ref struct Contribution<T>(int client, ReadOnlySpan<T> delta, double weight)
    where T : unmanaged
{
    public int Client { get; } = client;

    public ReadOnlySpan<T> Delta { get; } = delta;

    public double Weight { get; } = weight;

    /// <summary>Tie-break within a client (the assignment id); unique within one aggregate.</summary>
    public long Sequence { get; init; }

    /// <summary>n_i, the examples behind the update; 0 when unknown.</summary>
    public double Examples { get; init; }

    /// <summary>K_i, the local steps done.</summary>
    public int LocalSteps { get; init; }

    /// <summary>‖a_i‖₁ of FedNova: the local solver's accumulated step weight; K_i for plain SGD. 0 when unknown.</summary>
    public double StepWeight { get; init; }

    /// <summary>τ, versions published since the update's base version.</summary>
    public int Staleness { get; init; }
}
