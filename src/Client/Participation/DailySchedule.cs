namespace Federated.Client.Participation;

/// <summary>Takes part between two times of the day, in the device's time zone; work in hand is finished.</summary>
public sealed class DailySchedule : IParticipationPolicy
{
    private readonly TimeOnly from;
    private readonly TimeOnly to;
    private readonly TimeZoneInfo zone;

    /// <param name="from">The beginning.</param>
    /// <param name="to">The end, on the next day when it is not after the beginning.</param>
    /// <param name="zone">Whose clock is meant.</param>
    public DailySchedule(TimeOnly from, TimeOnly to, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        if (from == to)
        {
            throw new ClientException($"A daily schedule from {from} to {to} is never open; choose 'always' for the whole day.");
        }

        (this.from, this.to, this.zone) = (from, to, zone);
    }

    public string Name => ParticipationPolicies.Daily;

    public TimeSpan UntilReady(DateTimeOffset now)
    {
        var local = TimeZoneInfo.ConvertTime(now, zone);
        var time = TimeOnly.FromTimeSpan(local.TimeOfDay);
        return time.IsBetween(from, to) ? TimeSpan.Zero : from - time; // TimeOnly's difference goes forward, past midnight.
    }
}
