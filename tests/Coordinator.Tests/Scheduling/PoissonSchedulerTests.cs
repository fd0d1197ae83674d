using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Scheduling;

public sealed class PoissonSchedulerTests
{
    private const int Clients = 8, Rounds = 20_000;
    private const double Q = 0.2;

    /// <summary>Deviations of a normal variable that are exceeded with probability 10⁻⁶; there are 8 + 28 + 8 looks.</summary>
    private const double Bound = 5.6;

    [Fact]
    public void Includes_each_client_by_a_coin_of_its_own()
    {
        var rounds = Play();
        Assert.Equal(Rounds, rounds.Count);
        var deviation = Math.Sqrt(Q * (1 - Q) / Rounds);
        for (var i = 0; i < Clients; i++)
        {
            var share = rounds.Count(round => round[i]) / (double)Rounds;
            Assert.True(Math.Abs(share - Q) < Bound * deviation, $"Client {i} was in {share:P2} of the rounds.");

            // Not by what it did in the round before.
            var repeated = rounds.Zip(rounds.Skip(1)).Count(pair => pair.First[i] && pair.Second[i]) / (double)Rounds;
            Assert.True(Math.Abs(repeated - (Q * Q)) < Bound * Math.Sqrt(2 * Q * Q / Rounds), $"Client {i} was in {repeated:P2} of successive rounds.");
            for (var j = 0; j < i; j++)
            {
                var both = rounds.Count(round => round[i] && round[j]) / (double)Rounds;
                Assert.True(Math.Abs(both - (Q * Q)) < Bound * Math.Sqrt(Q * Q * (1 - (Q * Q)) / Rounds), $"Clients {i} and {j} were together in {both:P2} of the rounds.");
            }
        }

        Assert.InRange(rounds.Count(round => !round.Contains(true)) / (double)Rounds, 0.15, 0.185); // (1 − q)⁸ = 0.168: empty rounds are published too.
    }

    [Fact]
    public void Does_not_replace_who_drops_out()
    {
        var machine = NewMachine(1, out var effects, probability: 1);
        var (first, second) = (effects.OfType<Dispatch>().First().Assignment, effects.OfType<Dispatch>().Last().Assignment);
        Assert.Equal(Clients, effects.OfType<Dispatch>().Count());
        effects.Clear();
        machine.Handle(new AssignmentFailed(1, first.Id, first.Client, "battery"), effects);
        Assert.Empty(effects.OfType<Dispatch>());
        Assert.Equal(0, machine.Version);
        Assert.NotEqual(first, second);
    }

    /// <summary>Round 7, open, 2 of 4 in, overdue at 90 s, 11 and 12 still out: as builds wrote it whose snapshots have no groups yet.</summary>
    [Fact]
    public void Goes_on_from_where_an_older_build_stood()
    {
        using var old = new MemoryStream();
        using (var writer = new BinaryWriter(old, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(7L);
            writer.Write(true);
            writer.Write(false);
            writer.Write(false);
            writer.Write(2);
            writer.Write(4);
            writer.Write(90.0);
            writer.Write(2);
            writer.Write(11L);
            writer.Write(12L);
        }

        old.Position = 0;
        var scheduler = new PoissonScheduler(new PoissonOptions { Probability = Q }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal);
        scheduler.Load(new BinaryReader(old));
        Assert.Equal(old.Length, old.Position);
        using var saved = new MemoryStream();
        scheduler.Save(new BinaryWriter(saved));
        Assert.Equal(old.ToArray(), saved.ToArray());
    }

    private static List<bool[]> Play()
    {
        var machine = NewMachine(Rounds, out var effects, Q);
        var rounds = new List<bool[]>();
        var current = new bool[Clients];
        var pending = new Queue<RunEffect>(effects);
        while (pending.TryDequeue(out var effect))
        {
            effects.Clear();
            switch (effect)
            {
                case Dispatch dispatch:
                    current[dispatch.Assignment.Client.Value] = true;
                    machine.Handle(
                        new UpdateArrived(0, dispatch.Assignment.Id, dispatch.Assignment.Client, new UpdateReport { Examples = 1, LocalSteps = 1 }, Ready: true), effects);
                    break;
                case Publish:
                    rounds.Add(current);
                    current = new bool[Clients];
                    break;
                case ArmDeadline arm:
                    machine.Handle(new DeadlinePassed(arm.Time, arm.Deadline), effects);
                    break;
            }

            foreach (var next in effects)
            {
                pending.Enqueue(next);
            }
        }

        return rounds;
    }

    private static RunMachine NewMachine(int versions, out List<RunEffect> effects, double probability)
    {
        effects = [];
        var options = new RunOptions { Seed = 3, EvaluateEvery = 0, Stop = new StopOptions { Versions = versions } };
        var machine = new RunMachine(options, new PoissonScheduler(new PoissonOptions { Probability = probability }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
        machine.Handle(new RunStarted(0), effects);
        for (var i = 0; i < Clients; i++)
        {
            machine.Handle(new ClientJoined(0, new ClientId(i), 1), effects);
            machine.Handle(new CheckIn(0, new ClientId(i)), effects);
        }

        var open = effects.OfType<ArmDeadline>().Single(a => a.Deadline.Kind == DeadlineKind.Scheduler);
        effects.Clear();
        machine.Handle(new DeadlinePassed(0, open.Deadline), effects);
        return machine;
    }
}
