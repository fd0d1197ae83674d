using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.SecureAggregation;

/// <summary>How long the body of a step may be.</summary>
internal static class StepLimits
{
    /// <returns>Bytes; null for a step that there is not.</returns>
    public static long? Of(string step, SessionTerms terms) => step switch
    {
        SecureSumSteps.Keys => 4 << 10,
        SecureSumSteps.Shares => 1024 + (256L * terms.Most),
        SecureSumSteps.Input => WordPacking.Bytes(terms.Length, terms.Bits),
        SecureSumSteps.Signature => 1024,
        SecureSumSteps.Unmask => 1024 + (160L * terms.Most),
        _ => null,
    };
}
