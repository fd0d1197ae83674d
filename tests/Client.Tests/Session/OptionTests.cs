using Federated.Client.Session;
using Federated.Client.Tests.Fakes;

namespace Federated.Client.Tests.Session;

/// <summary>Each option that an installer can set does what it says.</summary>
public sealed class OptionTests : SessionFixture
{
    [Fact]
    public void ARequestIsGivenUpAfterItsTime()
    {
        Driver.Options = Driver.Options with { RequestTimeout = TimeSpan.FromSeconds(3), LongPoll = TimeSpan.FromSeconds(8) };
        Coordinator.Faults = (request, n) => request is "enrol" or "check-in" && n == 0 ? Fault.Silence : Fault.None;
        Driver.Run();
        Assert.Equal(
            [("enrolment", "No answer within 3 s."), ("check-in", "No answer within 11 s.")], // A poll may take its time, and the request's.
            Driver.Events.OfType<Retrying>().Select(r => (r.What, r.Problem.Detail)));
        RequireExactlyOnce();
    }

    [Fact]
    public void WaitsBetweenAttemptsBeginAndEndWhereTheyAreSaidTo()
    {
        Driver.Options = Driver.Options with { FirstRetry = TimeSpan.FromSeconds(3), LastRetry = TimeSpan.FromSeconds(7) };
        Coordinator.Faults = (request, n) => request == "check-in" && n < 12 ? Fault.RequestLost : Fault.None;
        Driver.Run();
        var waits = Driver.Events.OfType<Retrying>().Select(r => r.After.TotalSeconds).ToList();
        Assert.Equal(12, waits.Count);
        Assert.InRange(waits[0], 1.5, 3);
        Assert.All(waits.Skip(2), wait => Assert.InRange(wait, 3.5, 7));
    }

    [Theory]
    [InlineData(5, 30, 4)]
    [InlineData(5, 10, 10)]
    [InlineData(50, 30, 2)]
    [InlineData(101, 30, 0)]
    public void LongWorkIsAskedAboutAsOftenAsIsSaid(double after, double poll, int questions)
    {
        Driver.Options = Driver.Options with { WatchAfter = TimeSpan.FromSeconds(after), WatchPoll = TimeSpan.FromSeconds(poll) };
        Driver.TrainSeconds = 100;
        Coordinator.Target = 1;
        Driver.Run();
        Assert.Equal(questions, Coordinator.Requests.GetValueOrDefault("state"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void ATrainerMayFailSoOftenInARow(int failures)
    {
        Driver.Options = Driver.Options with { TrainerFailures = failures };
        Trainer.Before = (_, _) => throw new InvalidOperationException("no data");
        Assert.Throws<ClientException>(() => Driver.Run());
        Assert.Equal(failures, Coordinator.Failed.Count);
    }

    [Fact]
    public void OnlyFailuresInARowCount()
    {
        Driver.Options = Driver.Options with { TrainerFailures = 2 };
        Trainer.Before = (task, _) =>
        {
            if (task.Assignment % 2 == 0)
            {
                throw new InvalidOperationException("out of memory");
            }
        };
        Assert.Equal(3, Driver.Run().GivenUp);
        RequireExactlyOnce();
    }

    [Fact]
    public void LeasesThatEndAreNoFailuresOfTheTrainer()
    {
        var trainings = 0;
        Driver.Options = Driver.Options with { TrainerFailures = 2 };
        (Driver.TrainSeconds, Coordinator.LeaseSeconds) = (100, 50);
        Trainer.Before = (_, _) => Driver.TrainSeconds = ++trainings < 3 ? 100 : 10;
        Assert.Equal(3, Driver.Run().GivenUp);
        RequireExactlyOnce();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public void AnUpdateThatJustFitsAnEnvelopeGoesUpWhole(int room, bool isWhole)
    {
        Driver.Run();
        Driver.Options = Driver.Options with { EnvelopeBytes = (int)Coordinator.Declarations.Values.First().Delta.Length + room };
        var before = Coordinator.Requests["send"];
        Coordinator.Target += 2;
        Driver.Run();
        RequireExactlyOnce();
        Assert.Equal(isWhole ? 2 : 0, Coordinator.Requests["send"] - before);
    }

    [Fact]
    public void ComputingHoldsTheGateAndNothingElseDoes()
    {
        using var gate = new SemaphoreSlim(1);
        Driver.Options = Driver.Options with { ComputeGate = gate };
        List<int> free = [];
        Trainer.Before = (_, _) => free.Add(gate.CurrentCount);
        Coordinator.Handled = _ => Assert.Equal(1, gate.CurrentCount);
        Driver.Run();
        Assert.Equal([0, 0, 0], free);
        Assert.Equal(1, gate.CurrentCount);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("ward-7", "ward-7")]
    public void TheClientIsCalledWhatItIsToldOrAsItsDevice(string name, string? called)
    {
        Driver.Options = Driver.Options with { Name = name };
        Driver.Run();
        Assert.Equal(called ?? Environment.MachineName, Coordinator.NameTold);
    }

    [Fact]
    public void ACheckInWaitsAsLongAsIsSaid()
    {
        Driver.Options = Driver.Options with { LongPoll = TimeSpan.FromSeconds(17), FirstPoll = TimeSpan.FromSeconds(2) };
        Trainer.Before = (task, _) =>
        {
            if (task.Assignment == 0)
            {
                throw new InvalidOperationException("out of memory"); // The next assignment comes by a check-in.
            }
        };
        Driver.Run();
        Assert.Equal([2, 17], Coordinator.WaitsTold);
    }

    /// <summary>A lid that is closed for longer than access tokens last: the timers stood still too, and the clock has jumped.</summary>
    [Theory]
    [InlineData(601)]
    [InlineData(9_000)]
    public void ASessionGoesOnThatSleptThroughItsAccess(double seconds)
    {
        var tokens = 0;
        Trainer.Before = (task, _) =>
        {
            if (task.Assignment == 1)
            {
                tokens = Coordinator.Requests["token"];
                Time.Advance(TimeSpan.FromSeconds(seconds));
            }
        };
        Assert.Equal(new SessionSummary("done", 3, 3, 0, 0), Driver.Run());
        Assert.Equal(tokens + 1, Coordinator.Requests["token"]);
        Assert.DoesNotContain(Driver.Events, e => e is Retrying);
        RequireExactlyOnce();
    }

    /// <summary>The same where the device's clock stood still as well: only the coordinator knows that the token is over.</summary>
    [Fact]
    public void ASessionGoesOnWhoseClockSleptToo()
    {
        Trainer.Before = (task, _) =>
        {
            if (task.Assignment == 1)
            {
                Coordinator.ForgetTokens();
                Coordinator.ClockOffset = 9_000;
            }
        };
        Assert.Equal(new SessionSummary("done", 3, 3, 0, 0), Driver.Run());
        RequireExactlyOnce();
    }

    [Fact]
    public void WhatWasLeftFromBeforeARestartAsksForNoMoreWorkByItself()
    {
        using var stop = new CancellationTokenSource();
        Coordinator.Faults = (request, n) =>
        {
            if (request == "send" && n == 0)
            {
                stop.Cancel();
                return Fault.RequestLost;
            }

            return Fault.None;
        };
        Assert.ThrowsAny<OperationCanceledException>(() => Driver.Run(stop.Token));
        Assert.True(Store.OpenRun("run").Pending!.Declaration.Ready); // It was, then.
        Driver.Run();
        Assert.False(Coordinator.Declarations[0].Ready); // Whether the device has time now, its policy is asked.
        RequireExactlyOnce();
    }
}
