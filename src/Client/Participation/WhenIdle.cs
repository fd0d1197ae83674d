namespace Federated.Client.Participation;

/// <summary>Takes part only while the device can be spared, and gives the work up when it is wanted back.</summary>
/// <param name="isIdle">What the platform knows: on a charger, not in use, on an unmetered network. Must be quick.</param>
/// <param name="pollEvery">How often it is asked.</param>
public sealed class WhenIdle(Func<bool> isIdle, TimeSpan pollEvery) : IParticipationPolicy
{
    public string Name => ParticipationPolicies.Idle;

    public TimeSpan? WatchEvery => pollEvery;

    public TimeSpan UntilReady(DateTimeOffset now) => isIdle() ? TimeSpan.Zero : pollEvery;

    public bool MayContinue(DateTimeOffset now) => isIdle();
}
