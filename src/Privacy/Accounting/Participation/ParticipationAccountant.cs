namespace Federated.Privacy.Accounting;

/// <summary>
/// The ledger of asynchronous and anarchic participation: composes, for each client, the releases that it really took part in. The run's
/// guarantee is that of the client which took part most; a cap on participations bounds it in advance. It rests on no sampling at all.
/// </summary>
/// <remarks>
/// <para>
/// Guarantee: each client, with all of its updates together, against everybody who sees the releases, under the adjacency of the events
/// (zero-out: what a client sent is hidden, that and when it took part is not). Broken by: noise chosen from the data, a participation that
/// was not charged, and reading the spent ε as one that was promised: only the cap and the budget promise anything in advance. Stopping a
/// client at a budget is a privacy filter (Feldman, Zrnic, "Individual Privacy Accounting via a Rényi Filter", NeurIPS 2021; Smith, Thakurta,
/// "Fully Adaptive Composition for Gaussian Differential Privacy", 2022); for non-Gaussian events under <c>pld</c> it needs the events'
/// parameters to be fixed in advance, so that a client's history is a prefix of a fixed composition.
/// </para>
/// <para>
/// Why not "q = average share of clients": amplification by sampling needs coins that nobody sees and that do not depend on anything. Who
/// takes part here is decided by speed and availability, and is visible. See <see cref="NaiveEstimate"/>.
/// </para>
/// <para>Memory: O(active clients) references and O(distinct patterns). Not thread-safe. One composition per distinct maximal pattern.</para>
/// </remarks>
/// <typeparam name="TClient">What names a client.</typeparam>
public sealed class ParticipationAccountant<TClient>
    where TClient : notnull
{
    private readonly ParticipationAccountantOptions options;
    private readonly IPrivacyAccountant? chosen;
    private readonly List<MechanismEvent> events = [];
    private readonly Dictionary<MechanismEvent, int> eventIndex = [];
    private readonly Dictionary<TClient, ParticipationPattern> clients = [];
    private readonly Dictionary<string, ParticipationPattern> patterns = new(StringComparer.Ordinal);
    private readonly ParticipationPattern nothing;
    private readonly AnalyticGaussianAccountant exact = new();
    private readonly PldAccountant pld = new();

    /// <exception cref="PrivacyException">An option is out of range.</exception>
    public ParticipationAccountant(ParticipationAccountantOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!(options.Delta is > 0 and < 1) || options.ParticipationCap < 0 || !(options.EpsilonBudget >= 0))
        {
            throw new PrivacyException(
                $"A participation ledger needs δ in (0, 1) and a cap and a budget of zero or more, but δ = {options.Delta}, "
                + $"cap = {options.ParticipationCap}, ε budget = {options.EpsilonBudget}.");
        }

        this.options = options;
        chosen = options.Accountant.Length == 0 ? null : Accountants.ByName(options.Accountant);
        nothing = new ParticipationPattern([]);
    }

    /// <value>Clients with at least one participation.</value>
    public int ActiveClients => clients.Count;

    /// <value>Charged participations of all clients together.</value>
    public long TotalParticipations => patterns.Values.Sum(pattern => (long)pattern.Clients * pattern.Total);

    /// <summary>
    /// Charges one participation, before the client's update may enter the release. A participation stays charged if the update is then lost.
    /// </summary>
    /// <exception cref="PrivacyException">The event is not the release of one participation, or has another relation than earlier ones.</exception>
    public ChargeOutcome TryCharge(TClient client, MechanismEvent release)
    {
        Require(release);
        var before = clients.GetValueOrDefault(client, nothing);
        if (options.ParticipationCap > 0 && before.Total >= options.ParticipationCap)
        {
            return new(false, $"Client {client} has taken part {before.Total} times, which is the cap of {options.ParticipationCap}.");
        }

        var after = Intern(before.With(IndexOf(release)));
        if (options.EpsilonBudget > 0 && Epsilon(after) > options.EpsilonBudget)
        {
            return new(false,
                $"One more participation would bring client {client} to ε = {Epsilon(after):G6} at δ = {options.Delta}, over the budget of {options.EpsilonBudget}.");
        }

        Move(client, before, after);
        return ChargeOutcome.Accepted;
    }

    /// <summary>Number of charged participations of a client.</summary>
    public int Participations(TClient client) => clients.GetValueOrDefault(client, nothing).Total;

    /// <summary>What a client has spent.</summary>
    public PrivacyGuarantee ClientGuarantee(TClient client)
    {
        var pattern = clients.GetValueOrDefault(client, nothing);
        return Describe(Epsilon(pattern), pattern, $"The client took part {pattern.Total} times; what it has spent so far, not what it may spend.");
    }

    /// <summary>What the run has cost the client that took part most: the worst over clients.</summary>
    public PrivacyGuarantee Guarantee()
    {
        var (worst, pattern) = Worst();
        return Describe(worst, pattern,
            $"Worst of {clients.Count} clients that took part; the worst took part {pattern.Total} times. What has been spent so far, not what may be spent.");
    }

    /// <summary>What the run can cost any client at most, known before it starts: the cap of participations in this release.</summary>
    /// <exception cref="PrivacyException">There is no cap.</exception>
    public PrivacyGuarantee GuaranteeAtCap(MechanismEvent release)
    {
        Require(release);
        if (options.ParticipationCap == 0)
        {
            throw new PrivacyException("A run without a participation cap has no bound in advance: set ParticipationCap.");
        }

        var epsilon = For([release]).Epsilon(release.Repeated(options.ParticipationCap), options.Delta);
        return Describe(epsilon, [release], $"No client takes part more than {options.ParticipationCap} times, which the ledger enforces.");
    }

    /// <summary>
    /// The ε that results if one pretends that participation was Poisson sampling at its average rate, to show the difference.
    /// </summary>
    /// <param name="release">The release, as charged.</param>
    /// <param name="population">Clients that could have taken part.</param>
    /// <param name="releases">Releases of the run.</param>
    public NaiveSamplingEstimate NaiveEstimate(GaussianEvent release, long population, long releases)
    {
        ArgumentNullException.ThrowIfNull(release);
        EventGuard.Positive(population, "A population");
        EventGuard.Positive(releases, "The number of releases");
        var q = Math.Min(1, TotalParticipations / ((double)population * releases));
        var sampled = new PoissonSampledEvent(
            q, new GaussianEvent(release.Relation with { Adjacency = Adjacency.AddRemove }, release.NoiseMultiplier));
        return new NaiveSamplingEstimate(
            pld.Epsilon(sampled.Repeated(releases), options.Delta),
            options.Delta,
            q,
            $"Each of the {population} clients would have to be in each of the {releases} releases independently with probability {q:G4}, by coins that "
            + "nobody sees. Here speed and availability decide who takes part, the fast ones more often, and arrival shows it.");
    }

    /// <summary>The ledger as rows, in no particular order, for a checkpoint.</summary>
    public IEnumerable<ParticipationEntry<TClient>> Entries()
    {
        foreach (var (client, pattern) in clients)
        {
            foreach (var (index, count) in pattern.Entries.ToArray())
            {
                yield return new(client, events[index], count);
            }
        }
    }

    /// <summary>Adds the rows of a checkpoint, whatever cap and budget say: what happened, happened.</summary>
    public void Restore(IEnumerable<ParticipationEntry<TClient>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        foreach (var (client, release, count) in entries)
        {
            Require(release);
            for (var i = 0; i < count; i++)
            {
                var before = clients.GetValueOrDefault(client, nothing);
                Move(client, before, Intern(before.With(IndexOf(release))));
            }
        }
    }

    private void Move(TClient client, ParticipationPattern before, ParticipationPattern after)
    {
        // Patterns that nobody has any more are forgotten: with many kinds of event they would outnumber the clients.
        if (before != nothing && --before.Clients == 0)
        {
            patterns.Remove(before.Key);
        }

        patterns[after.Key] = after;
        after.Clients++;
        clients[client] = after;
    }

    private (double Epsilon, ParticipationPattern Pattern) Worst()
    {
        var worst = (Epsilon: 0.0, Pattern: nothing);
        foreach (var pattern in Candidates())
        {
            var epsilon = Epsilon(pattern);
            worst = epsilon > worst.Epsilon || worst.Pattern == nothing ? (epsilon, pattern) : worst;
        }

        return worst;
    }

    /// <summary>Patterns one of which is the worst.</summary>
    private List<ParticipationPattern> Candidates()
    {
        if (events.All(e => e is GaussianEvent) && chosen is null)
        {
            // Gaussian releases compose to one, so the least noise in total is the worst, without composing anything.
            return patterns.Count == 0 ? [] : [patterns.Values.MaxBy(Precision)!];
        }

        // A pattern that another covers costs no more, so only the maximal ones are composed.
        var maximal = new List<ParticipationPattern>();
        foreach (var pattern in patterns.Values.OrderByDescending(p => p.Total))
        {
            if (!maximal.Exists(larger => larger.Covers(pattern)))
            {
                maximal.Add(pattern);
            }
        }

        return maximal;
    }

    private double Precision(ParticipationPattern pattern)
    {
        var sum = 0.0;
        foreach (var (index, count) in pattern.Entries)
        {
            var noise = ((GaussianEvent)events[index]).NoiseMultiplier;
            sum += count / (noise * noise);
        }

        return sum;
    }

    private double Epsilon(ParticipationPattern pattern) => pattern.Epsilon ??= pattern.Total == 0
        ? 0
        : For(Taken(pattern)).Epsilon(
            new ComposedEvent([.. pattern.Entries.ToArray().Select(entry => events[entry.Event].Repeated(entry.Count))]), options.Delta);

    private IReadOnlyList<MechanismEvent> Taken(ParticipationPattern pattern) =>
        [.. pattern.Entries.ToArray().Select(entry => events[entry.Event])];

    private IPrivacyAccountant For(IReadOnlyList<MechanismEvent> taken) => chosen ?? (taken.All(e => e is GaussianEvent) ? exact : pld);

    private PrivacyGuarantee Describe(double epsilon, ParticipationPattern pattern, string extent) => Describe(epsilon, Taken(pattern), extent);

    private PrivacyGuarantee Describe(double epsilon, IReadOnlyList<MechanismEvent> taken, string extent) => new()
    {
        Epsilon = epsilon,
        Delta = options.Delta,
        Relation = new NeighbourRelation(PrivacyUnit.Client, taken.Count > 0 ? taken[0].Relation.Adjacency : Adjacency.ZeroOut),
        Trust = taken.Count > 0 ? taken.Min(e => e.Trust) : TrustModel.Local,
        Accountant = For(taken).Name,
        Assumptions =
        [
            extent,
            "Every participation is charged before the release that it enters; nothing is amplified by sampling.",
            "The noise of the releases is fixed in advance, drawn from cryptographic randomness, and never revealed.",
            .. taken.SelectMany(e => e.Assumptions).Distinct(),
        ],
    };

    private void Require(MechanismEvent release)
    {
        ArgumentNullException.ThrowIfNull(release);
        if (release.Relation.Unit != PrivacyUnit.ClientParticipation)
        {
            throw new PrivacyException(
                $"A participation ledger composes events for one client participation, but the event protects {release.Relation}: state its noise "
                + "relative to one participation's largest contribution.");
        }

        if (events.Count > 0)
        {
            NeighbourRelation.RequireSame(events[0].Relation, release.Relation);
        }
    }

    private int IndexOf(MechanismEvent release)
    {
        if (!eventIndex.TryGetValue(release, out var index))
        {
            eventIndex[release] = index = events.Count;
            events.Add(release);
        }

        return index;
    }

    private ParticipationPattern Intern(ParticipationPattern.Entry[] entries)
    {
        var pattern = new ParticipationPattern(entries);
        return patterns.GetValueOrDefault(pattern.Key, pattern);
    }
}
