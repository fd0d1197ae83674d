using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public sealed class DeadlineQueueTests
{
    /// <summary>Two thousand rests that end at one instant, of which every other client is gone meanwhile.</summary>
    [Fact]
    public void What_is_left_when_many_have_been_dropped_comes_in_the_order_of_arming()
    {
        const int clients = 2000;
        var machine = new RunMachine(
            new RunOptions { CoolDown = 10, Stop = new StopOptions { Versions = 1_000_000 } },
            new BufferedScheduler(new BufferedOptions { Concurrency = clients, AggregationGoal = clients + 1 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
        var queue = new DeadlineQueue();
        var effects = new List<RunEffect>();
        machine.Handle(new RunStarted(0), effects);
        for (var i = 0; i < clients; i++)
        {
            machine.Handle(new ClientJoined(0, new ClientId(i), 1), effects);
            machine.Handle(new CheckIn(0, new ClientId(i)), effects);
        }

        foreach (var opening in effects.OfType<ArmDeadline>().ToList())
        {
            machine.Handle(new DeadlinePassed(0, opening.Deadline), effects);
        }

        foreach (var assignment in machine.Assignments.OrderBy(a => a.Id).ToList())
        {
            machine.Handle(new UpdateArrived(1, assignment.Id, assignment.Client, new UpdateReport { Examples = 1, LocalSteps = 1 }, Ready: true), effects);
        }

        var rests = effects.OfType<ArmDeadline>().Where(a => a.Deadline.Kind == DeadlineKind.CoolDown).ToList();
        Assert.Equal(clients, rests.Count);
        rests.ForEach(queue.Arm);
        for (var i = 0; i < clients; i += 2)
        {
            machine.Handle(new CheckOut(2, new ClientId(i)), effects);
        }

        queue.Compact(machine);
        List<long> left = [];
        while (queue.TryTake(10, out var deadline))
        {
            left.Add(deadline.Number);
        }

        Assert.Equal(clients / 2, left.Count);
        Assert.Equal(rests.Select(r => r.Deadline.Number).Where(client => client % 2 == 1), left);
    }
}
