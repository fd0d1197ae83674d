namespace Federated.Privacy.Accounting;

/// <summary>Whether a client's participation was charged; if not, nothing was, and the client must not take part.</summary>
/// <param name="Charged">Whether the participation is on the ledger.</param>
/// <param name="Reason">Why it is not; empty where it is.</param>
public readonly record struct ChargeOutcome(bool Charged, string Reason)
{
    internal static ChargeOutcome Accepted => new(true, "");
}
