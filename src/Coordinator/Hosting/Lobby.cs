namespace Federated.Coordinator.Hosting;

/// <summary>
/// Where the clients of a run that counts them wait until all are there; then they are numbered in the ordinal order of their names, so that
/// the same clients have the same numbers however they came, and a served run can equal a simulated one to the bit.
/// </summary>
internal sealed class Lobby(RunHost host, int expected, TimeProvider clock)
{
    /// <summary>Somebody who has not asked for so long is counted as gone.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Guest> guests = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool opening;

    /// <summary>Clients that wait here.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return guests.Count;
            }
        }
    }

    /// <summary>Waits until all are there.</summary>
    /// <param name="member">The client's id.</param>
    /// <param name="name">What it is called.</param>
    /// <returns>How many are still missing; 0 when the client may ask for its number.</returns>
    public async ValueTask<int> EnterAsync(string member, string name, double examples, TimeSpan wait, CancellationToken cancellation)
    {
        int missing, first = 0;
        List<Guest>? all = null;
        lock (gate)
        {
            var now = clock.GetUtcNow();
            guests[member] = new Guest(member, name, examples, now);
            foreach (var gone in guests.Values.Where(g => now - g.Seen > Patience).ToList())
            {
                guests.Remove(gone.Member);
            }

            missing = expected - host.View.Clients - guests.Values.Count(g => host.Find(g.Member) is null);
            if (missing <= 0 && !opening)
            {
                (opening, first) = (true, host.View.Clients);
                all = [.. guests.Values.Where(g => host.Find(g.Member) is null).OrderBy(g => g.Name, StringComparer.Ordinal).ThenBy(g => g.Member, StringComparer.Ordinal)];
            }
        }

        if (all is not null)
        {
            // One after the other into the mailbox, each with the number that it must get: when the store fails at one, those after it fail too.
            var joins = await Task.WhenAll(all.Select((guest, i) => host.JoinAsAsync(guest.Member, guest.Examples, first + i))).ConfigureAwait(false);
            if (Array.TrueForAll(joins, join => join.Outcome == HostOutcome.Done))
            {
                opened.TrySetResult();
            }
            else
            {
                lock (gate)
                {
                    opening = false; // Whoever asks next tries again, with those that have no number yet.
                }

                return 1;
            }
        }

        if (!opened.Task.IsCompleted && wait > TimeSpan.Zero)
        {
            try
            {
                await opened.Task.WaitAsync(wait, clock, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // It asks again.
            }
            catch (OperationCanceledException)
            {
                lock (gate)
                {
                    guests.Remove(member);
                }

                throw;
            }
        }

        return opened.Task.IsCompleted ? 0 : Math.Max(1, missing);
    }

    private sealed record Guest(string Member, string Name, double Examples, DateTimeOffset Seen);
}
