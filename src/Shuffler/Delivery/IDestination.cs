using Federated.Shuffler.Batches;

namespace Federated.Shuffler.Delivery;

/// <summary>Whoever gets this shuffler's batches: the coordinator, or the shuffler behind this one.</summary>
public interface IDestination
{
    Task<Delivered> SendAsync(ClosedBatch batch, CancellationToken cancellation);
}

/// <summary>What became of one attempt.</summary>
/// <param name="Reason">For the operator; never anything of one report.</param>
public readonly record struct Delivered(DeliveryOutcome Outcome, string Reason);

public enum DeliveryOutcome
{
    /// <summary>The other side has it, durably.</summary>
    Taken,

    /// <summary>The other side will never take it: its run is over or gone.</summary>
    Refused,

    /// <summary>It could not be sent now.</summary>
    Later,
}
