namespace Federated.Client.Participation;

/// <summary>Names of the participation policies, and their making.</summary>
public static class ParticipationPolicies
{
    /// <summary>Whenever there is work: servers, hospitals, laboratories.</summary>
    public const string Always = "always";

    /// <summary>Only while the device says that it can be spared: phones on a charger, workstations at night.</summary>
    public const string Idle = "idle";

    /// <summary>Between two times of the day.</summary>
    public const string Daily = "daily";

    /// <summary>At random times with a given mean rate: so that a run's theory (Poisson participation) holds, or to spread load.</summary>
    public const string Poisson = "poisson";

    /// <summary>The app decides.</summary>
    public const string Custom = "custom";

    public static IReadOnlyList<string> All { get; } = [Always, Idle, Daily, Poisson, Custom];
}
