using Federated.Aggregation.Randomness;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Runs;

/// <summary>
/// A host that misbehaves at random: clients come, go, vanish, fail, answer late, twice, with somebody else's assignment, or with NaN;
/// deadlines are repeated. It keeps the effects as text, so that two machines can be compared line by line.
/// </summary>
internal sealed class RandomHost(RunMachine machine, int clients, ulong seed)
{
    private readonly SeededRandom random = SeededRandom.Derive(seed, "random host");
    private readonly List<(double Time, Deadline Deadline)> deadlines = [];
    private readonly List<Assignment> seen = [];
    private readonly List<RunEffect> effects = [];
    private readonly HashSet<int> waiting = [];
    private double now;

    public List<string> Log { get; } = [];

    public List<RunEffect> AllEffects { get; } = [];

    public RunMachine Machine { get; set; } = machine;

    public void Start()
    {
        Post(new RunStarted(0));
        for (var i = 0; i < clients; i++)
        {
            Post(new ClientJoined(0, new ClientId(i), 10 + i));
            Post(new CheckIn(0, new ClientId(i)));
        }
    }

    /// <summary>One random event, after all deadlines that are due.</summary>
    public void Step()
    {
        now += random.NextExponential(1);
        foreach (var due in deadlines.Where(d => d.Time <= now).OrderBy(d => d.Time).ToList())
        {
            deadlines.Remove(due);
            Post(new DeadlinePassed(due.Time, due.Deadline));
            if (random.NextDouble() < 0.1)
            {
                Post(new DeadlinePassed(due.Time, due.Deadline));
            }
        }

        var client = new ClientId(random.NextInt(clients));
        var running = Machine.Assignments.OrderBy(a => a.Id).ToList();
        var any = running.Count > 0 ? running[random.NextInt(running.Count)] : null;
        switch (random.NextInt(12))
        {
            case 0: Post(new CheckIn(now, client)); break;
            case 1: Post(new CheckOut(now, client)); break;
            case 2 when random.NextDouble() < 0.3: Post(new ClientLost(now, client)); break;
            case 3 when any is not null: Post(new AssignmentFailed(now, any.Id, any.Client, "battery")); break;
            case 4 when seen.Count > 0: Arrive(seen[random.NextInt(seen.Count)], finite: true); break;
            case 5 when any is not null: Arrive(any with { Client = client }, finite: true); break;
            case 6 when any is not null: Arrive(any, finite: random.NextDouble() < 0.7); break;
            case 7 when random.NextDouble() < 0.1: Post(new OperatorCommand(now, OperatorAction.Pause, "test")); break;
            case 7: Post(new OperatorCommand(now, OperatorAction.Resume, "test")); break;
            default:
                if (any is not null)
                {
                    Arrive(any, finite: true);
                }
                else
                {
                    Post(new CheckIn(now, client));
                }

                break;
        }
    }

    private void Arrive(Assignment assignment, bool finite) => Post(new UpdateArrived(
        now,
        assignment.Id,
        assignment.Client,
        new UpdateReport { Examples = 5 + random.NextInt(50), LocalSteps = 1 + random.NextInt(20), IsFinite = finite },
        random.NextDouble() < 0.8));

    private void Post(RunEvent e)
    {
        effects.Clear();
        Machine.Handle(e, effects);
        Machine.Counters.Check();
        Log.Add($"> {e}");
        foreach (var effect in effects)
        {
            Log.Add(effect.ToString()!);
            AllEffects.Add(effect);
            switch (effect)
            {
                case Dispatch d when !seen.Contains(d.Assignment):
                    seen.Add(d.Assignment);
                    break;
                case ArmDeadline arm:
                    deadlines.Add((arm.Time, arm.Deadline));
                    break;
                case RequestEvaluation evaluation:
                    waiting.Add(evaluation.Version);
                    break;
            }
        }
    }
}
