using System.Globalization;

namespace Federated.Coordinator.Runs;

/// <summary>Why a client waits; becomes a sentence only when somebody reads it.</summary>
/// <param name="Have">How many are there, of <paramref name="Need"/>.</param>
/// <param name="Until">Seconds on the run's clock after which the client should ask again; +∞ when only an event can end the wait.</param>
public readonly record struct WaitReason(WaitKind Kind, int Have, int Need, double Until)
{
    public override string ToString()
    {
        var until = double.IsFinite(Until) ? string.Create(CultureInfo.InvariantCulture, $", until {Until:0.###} s") : "";
        return Kind switch
        {
            WaitKind.ForClients when Have >= Need => "enough clients are here; the next round is about to open",
            WaitKind.ForClients => $"waiting for {Need - Have} of {Need} clients to check in{until}",
            WaitKind.ForReports => $"waiting for {Need - Have} of {Need} updates of the open round{until}",
            WaitKind.ForSlot => $"{Have} of {Need} places are in use; the next free one goes to a waiting client{until}",
            WaitKind.ForGroup => $"waiting for {Need - Have} of {Need} members of the group to arrive{until}",
            WaitKind.ForWindow => $"waiting for the aggregation window to end{until}",
            WaitKind.CoolDown => $"this client took part recently and rests{until}",
            WaitKind.Spent => $"this client has taken part {Have} times, as often as the run's privacy allows",
            WaitKind.Rests => "this client took part lately; the run's privacy lets it take part again in a later version",
            WaitKind.Paused => "the run is paused",
            WaitKind.Busy => "this client already has an assignment",
            WaitKind.NotStarted => "the run has not started",
            _ => "the run is over",
        };
    }
}

/// <summary>What a client waits for; <see cref="WaitReason.ToString"/> says it in words.</summary>
public enum WaitKind
{
    NotStarted,
    ForClients,
    ForReports,
    ForSlot,
    ForGroup,
    ForWindow,
    CoolDown,
    Paused,
    Busy,
    Spent,
    Rests,
    RunOver,
}
