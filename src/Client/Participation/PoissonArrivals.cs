using Federated.Aggregation.Randomness;

namespace Federated.Client.Participation;

/// <summary>
/// Takes part at the points of a Poisson process: one assignment at each, with independent exponential times between the end of one and
/// the beginning of the next.
/// </summary>
/// <remarks>Arrivals that fall into an assignment are dropped; as the process has no memory, the time from the assignment's end is exponential too.</remarks>
public sealed class PoissonArrivals : IParticipationPolicy
{
    private readonly double perHour;
    private readonly SeededRandom random;
    private DateTimeOffset? next;

    /// <param name="perHour">Mean arrivals per hour; above 0.</param>
    /// <param name="random">The client's own stream.</param>
    public PoissonArrivals(double perHour, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perHour);
        (this.perHour, this.random) = (perHour, random);
    }

    public string Name => ParticipationPolicies.Poisson;

    public TimeSpan UntilReady(DateTimeOffset now)
    {
        next ??= Draw(now);
        return next.Value <= now ? TimeSpan.Zero : next.Value - now;
    }

    public void OnTaskEnded(DateTimeOffset now) => next = Draw(now);

    // −ln(1 − U) is exponential; 1 − U is in (0, 1].
    private DateTimeOffset Draw(DateTimeOffset now) => now + TimeSpan.FromHours(-Math.Log(1 - random.NextDouble()) / perHour);
}
