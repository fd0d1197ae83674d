namespace Federated.Coordinator.SecureAggregation;

/// <summary>What became of a member's step.</summary>
/// <param name="Detail">For its sender; empty when it was taken.</param>
public readonly record struct StepAnswer(StepVerdict Verdict, string Detail)
{
    public static StepAnswer Taken { get; } = new(StepVerdict.Taken, "");
}

/// <summary>Whether a session took a step.</summary>
public enum StepVerdict
{
    /// <summary>Now, or before with the same content.</summary>
    Taken,

    /// <summary>The client is in no session.</summary>
    Unknown,

    /// <summary>The session does not take it; the detail says why.</summary>
    Refused,

    /// <summary>It is not what the step sends.</summary>
    Malformed,

    /// <summary>Ask again.</summary>
    Unavailable,
}
