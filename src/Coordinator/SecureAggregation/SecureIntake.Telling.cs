using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.SecureAggregation;

/// <content>What members and people are told of the sessions.</content>
public sealed partial class SecureIntake
{
    /// <summary>The latest sessions, those that are open at the end.</summary>
    public SecureSumFacts Facts()
    {
        lock (gate)
        {
            return new SecureSumFacts([.. facts, .. open.Select(FactOf)]);
        }
    }

    ValueTask<SecureSumFacts> ISecureSums.FactsAsync(CancellationToken cancellation) => ValueTask.FromResult(Facts());

    /// <summary>How a member's session stands; answered when it is past <paramref name="after"/>, or after <paramref name="wait"/>.</summary>
    public async Task<SecureSumState> StateAsync(ClientId client, AssignmentId assignment, SessionPhase? after, TimeSpan wait, CancellationToken cancellation)
    {
        var begun = clock.GetTimestamp();
        while (true)
        {
            Task changed;
            SecureSumState state;
            lock (gate)
            {
                if (Find(client, assignment) is not { } seat)
                {
                    return new SecureSumState("none", host.NameOf(client));
                }

                state = StateOf(seat);
                changed = seat.Session.Changed.Task;
            }

            var left = wait - clock.GetElapsedTime(begun);
            if (after is null || state.Known > after || left <= TimeSpan.Zero || stopping.IsCancellationRequested)
            {
                return state;
            }

            try
            {
                await changed.WaitAsync(left, clock, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // Told as it stands.
            }
        }
    }

    private SecureSumState StateOf(Seat seat)
    {
        var (session, server, index) = (seat.Session, seat.Session.Server, seat.Index);
        var member = seat.Member;
        if (session.Outcomes.TryGetValue(seat.Assignment, out var outcome))
        {
            return new SecureSumState("done", member) { Outcome = outcome };
        }

        if (session.Problem is { } problem)
        {
            return new SecureSumState("aborted", member) { Reason = problem };
        }

        var phase = server.Phase is SessionPhase.Done or SessionPhase.Aborted ? SessionPhase.Unmask : server.Phase;
        if ((phase > SessionPhase.ShareKeys && Array.BinarySearch(server.Sharers, index) < 0) || (phase > SessionPhase.MaskedInput && Array.BinarySearch(server.Survivors, index) < 0))
        {
            return new SecureSumState("aborted", member) { Reason = "This member did not take its step in time, and the session went on without it." };
        }

        var state = new SecureSumState(SecureSumState.NameOf(phase), member)
        {
            SecondsLeft = Math.Max(0, session.Until - Now),
            Reason = server.Phase >= SessionPhase.Done
                ? "the sum is being counted"
                : $"waiting for {Math.Max(0, server.Expected - server.Present)} of {server.Expected} members, at most {Math.Max(0, session.Until - Now):0} s",
        };
        return phase switch
        {
            SessionPhase.ShareKeys => state with { Roster = server.Roster() },
            SessionPhase.MaskedInput => state with { Delivery = server.DeliveryTo(index) },
            SessionPhase.Consistency => state with { Survivors = server.Survivors },
            SessionPhase.Unmask when server.Phase == SessionPhase.Unmask && !session.IsOpening => state with { Unmask = server.UnmaskRequest() },
            _ => state,
        };
    }

    private SecureSumFact FactOf(Session session)
    {
        var server = session.Server;
        return new SecureSumFact(
            server.Number, session.Started, (session.Ended ?? Now) - session.Started, SecureSumState.NameOf(server.Phase), server.Members.Count, server.Sharers.Length, server.Survivors.Length,
            session.Answered, server.Parameters?.Minimum ?? parts.Plan.Minimum, server.Parameters?.Threshold ?? 0,
            server.Survivors.Length == 0 ? 0 : server.Survivors.Length - (server.Parameters?.Minimum ?? 0), session.Problem ?? "");
    }
}
