namespace Federated.Privacy.Accounting;

/// <summary>Guarantees, complete with relation, trust and assumptions, from an accountant's numbers.</summary>
public static class PrivacyAccountantExtensions
{
    private const string SecretNoise =
        "The noise is drawn from cryptographic randomness, is never revealed, and only the noisy results are released.";

    /// <summary>The guarantee of an event at δ.</summary>
    public static PrivacyGuarantee GuaranteeAtDelta(this IPrivacyAccountant accountant, PrivacyEvent privacyEvent, double delta)
    {
        ArgumentNullException.ThrowIfNull(accountant);
        return Describe(accountant, privacyEvent, accountant.Epsilon(privacyEvent, delta), delta);
    }

    /// <summary>The guarantee of an event at ε.</summary>
    public static PrivacyGuarantee GuaranteeAtEpsilon(this IPrivacyAccountant accountant, PrivacyEvent privacyEvent, double epsilon)
    {
        ArgumentNullException.ThrowIfNull(accountant);
        return Describe(accountant, privacyEvent, epsilon, accountant.Delta(privacyEvent, epsilon));
    }

    private static PrivacyGuarantee Describe(IPrivacyAccountant accountant, PrivacyEvent privacyEvent, double epsilon, double delta)
    {
        var leaves = EventTree.Flatten(privacyEvent);
        return new PrivacyGuarantee
        {
            Epsilon = epsilon,
            Delta = delta,
            Relation = privacyEvent.Relation,
            // Central asks for the most trust and is the smallest value: a chain is as strong as its weakest link.
            Trust = leaves.Count == 0 ? TrustModel.Local : leaves.Min(part => EventTree.Mechanism(part.Leaf).Trust),
            Accountant = accountant.Name,
            Assumptions = [.. privacyEvent.Assumptions.Append(SecretNoise).Distinct()],
        };
    }
}
