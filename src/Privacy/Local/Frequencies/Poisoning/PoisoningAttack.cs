namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>What fake clients send.</summary>
public enum PoisoningAttack
{
    /// <summary>RPA: a uniform element of the report space.</summary>
    RandomReport,

    /// <summary>RIA: a random target, randomised honestly. It cannot be told from an honest client that holds the target.</summary>
    RandomItem,

    /// <summary>MGA: the report that supports the most targets, padded so that its weight is an honest one's.</summary>
    Maximal,
}
