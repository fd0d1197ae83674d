using System.Globalization;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Randomness;

namespace Federated.Simulation.Studies;

/// <summary>
/// What clients really spend under asynchronous and anarchic participation, against the number that results from pretending that the average
/// participation rate was a sampling probability: 1000 clients, 1000 releases of 10 updates each, noise 8 relative to the clipped update.
/// </summary>
/// <remarks>
/// Client i works at speed e^(s·N(0, 1)). <c>rounds</c>: the server draws 10 clients a release. <c>buffered</c>: 100 clients in flight, a random idle
/// one replaces each that finishes (FedBuff). <c>anarchic</c>: clients come when they are done, at their own speed. A client is in a release
/// at most once. With a cap, clients that have used it up are turned away, and the worst ε is the one that was promised in advance. No number of the ledger rests on sampling; the naive one rests on coins that nobody flipped.
/// </remarks>
public sealed class AsynchronousLedgerStudy : Study
{
    private const int Clients = 1000;
    private const int Releases = 1000;
    private const int Goal = 10;
    private const int Concurrency = 100;
    private const int Cap = 20;
    private const string Capped = "anarchic, cap 20";
    private const double Delta = 1e-6;
    private static readonly GaussianEvent Release = new(NeighbourRelation.ZeroOutParticipation, 8);

    public override string Name => "async-ledger";

    public override string Description => "ε that clients really spend when speed decides who takes part, against the naive q-approximation.";

    public override IReadOnlyList<string> SettingColumns => ["participation", "speed_spread"];

    public override IReadOnlyList<string> ValueColumns =>
        ["mean_participations", "most_participations", "naive_epsilon", "median_epsilon", "worst_epsilon", "understated_by", "clients_above_naive", "turned_away"];

    public override IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation)
    {
        var seed = input.Seed;
        foreach (var spread in (double[])[0, 0.5, 1, 1.5])
        {
            foreach (var kind in (string[])["rounds", "buffered", "anarchic", Capped])
            {
                cancellation.ThrowIfCancellationRequested();
                if (kind == "rounds" && spread > 0)
                {
                    continue; // the server draws: speed plays no part
                }

                using var random = SimulationRandom.Derive(seed, Name, (long)(10 * spread), kind.Length);
                yield return Measure(kind, spread, random);
            }
        }
    }

    private static StudyRow Measure(string kind, double spread, SimulationRandom random)
    {
        var speeds = new double[Clients];
        GaussianSampler.Fill(speeds.AsSpan(), spread, random);
        foreach (ref var speed in speeds.AsSpan())
        {
            speed = Math.Exp(speed);
        }

        var ledger = new ParticipationAccountant<int>(new ParticipationAccountantOptions { Delta = Delta, ParticipationCap = kind == Capped ? Cap : 0 });
        var arrivals = kind switch
        {
            "rounds" => Drawn(random),
            "buffered" => Buffered(speeds, random),
            _ => Anarchic(speeds, random),
        };
        var (taken, refused) = (0, 0);
        foreach (var client in arrivals)
        {
            // Charged before its update may enter the release; a client at its cap is turned away.
            if (ledger.TryCharge(client, Release).Charged)
            {
                taken++;
            }
            else
            {
                refused++;
            }

            if (taken == Releases * Goal)
            {
                break;
            }
        }

        var spent = Enumerable.Range(0, Clients).Select(c => ledger.ClientGuarantee(c).Epsilon).Order().ToArray();
        var naive = ledger.NaiveEstimate(Release, Clients, Releases).Epsilon;
        var worst = ledger.Guarantee().Epsilon;
        return new(
            [kind, spread.ToString(CultureInfo.InvariantCulture)],
            [
                (double)taken / Clients, Enumerable.Range(0, Clients).Max(ledger.Participations), naive, (spent[(Clients / 2) - 1] + spent[Clients / 2]) / 2,
                worst, worst / naive, spent.Count(e => e > naive), (double)refused / (taken + refused),
            ]);
    }

    private static IEnumerable<int> Drawn(SimulationRandom random)
    {
        while (true)
        {
            foreach (var client in random.NextSubset(Clients, Goal))
            {
                yield return client;
            }
        }
    }

    private static IEnumerable<int> Anarchic(double[] speeds, SimulationRandom random)
    {
        // Superposed Poisson processes: the next to come is client i with probability proportional to its speed.
        var cumulative = new double[speeds.Length];
        for (var i = 0; i < speeds.Length; i++)
        {
            cumulative[i] = speeds[i] + (i > 0 ? cumulative[i - 1] : 0);
        }

        var inRelease = new HashSet<int>();
        while (true)
        {
            var at = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
            var client = Math.Min(speeds.Length - 1, at < 0 ? ~at : at);
            if (inRelease.Add(client))
            {
                yield return client;
                if (inRelease.Count == Goal)
                {
                    inRelease.Clear();
                }
            }
        }
    }

    private static IEnumerable<int> Buffered(double[] speeds, SimulationRandom random)
    {
        var done = new PriorityQueue<int, (double Time, int Client)>();
        var idle = Enumerable.Range(0, Clients).ToList();
        var now = 0.0;
        var buffer = new List<int>();
        for (var i = 0; i < Concurrency; i++)
        {
            Start();
        }

        while (true)
        {
            done.TryDequeue(out var client, out var priority);
            now = priority.Time;
            yield return client;

            // It may not be asked again before its update has been released: two of its updates in one would move it twice as far.
            buffer.Add(client);
            if (buffer.Count == Goal)
            {
                idle.AddRange(buffer);
                buffer.Clear();
            }

            Start();
        }

        void Start()
        {
            var index = random.NextBelow(idle.Count);
            var client = idle[index];
            idle[index] = idle[^1];
            idle.RemoveAt(idle.Count - 1);
            var work = -Math.Log(1 - random.NextDouble()) / speeds[client];
            done.Enqueue(client, (now + work, client));
        }
    }
}
