namespace Federated.Client.Participation;

/// <summary>Takes part whenever there is work.</summary>
public sealed class AlwaysAvailable : IParticipationPolicy
{
    public string Name => ParticipationPolicies.Always;

    public TimeSpan UntilReady(DateTimeOffset now) => TimeSpan.Zero;
}
