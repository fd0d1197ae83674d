namespace Federated.Coordinator.Runs;

/// <summary>What became of the assignments of a run. Every dispatched one ends accepted, rejected or lost; a run checks that on itself.</summary>
/// <param name="Ignored">Arrivals that named no assignment in flight (duplicates, late and foreign ones): answered, not counted above.</param>
/// <param name="Accumulated">Accepted updates that were folded into an aggregate.</param>
public readonly record struct RunCounters(
    long Dispatched, long Accepted, long Rejected, long Lost, long InFlight, long Ignored, long Accumulated)
{
    /// <summary>accepted + rejected + lost + in flight = dispatched, and nothing is accumulated that was not accepted.</summary>
    public bool Balances => Accepted + Rejected + Lost + InFlight == Dispatched && Accumulated <= Accepted;

    /// <exception cref="CoordinatorException">The sums do not balance: a defect of the scheduler or the machine.</exception>
    public void Check()
    {
        if (!Balances)
        {
            throw new CoordinatorException(
                $"The run's books do not balance: accepted {Accepted} + rejected {Rejected} + lost {Lost} + in flight {InFlight} "
                + $"should be dispatched {Dispatched}, and accumulated {Accumulated} at most accepted. This is a defect; please report it with the run's seed.");
        }
    }
}
