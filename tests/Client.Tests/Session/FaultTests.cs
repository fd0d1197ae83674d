using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Tests.Fakes;

namespace Federated.Client.Tests.Session;

/// <summary>Every request fails once in every way, and the power goes at every step: what was acknowledged counts once.</summary>
public sealed class FaultTests : SessionFixture
{
    private static readonly string[] Requests = ["enrol", "token", "check-in", "download", "send", "declare", "offset", "append"];

    public static TheoryData<string, int, bool> Places
    {
        get
        {
            var places = new TheoryData<string, int, bool>();
            foreach (var request in Requests)
            {
                foreach (var fault in Enum.GetValues<Fault>().Except([Fault.None, Fault.NotAnUpdate, Fault.TooLarge]))
                {
                    places.Add(request, (int)fault, request is "declare" or "offset" or "append");
                }
            }

            return places;
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void AnyRequestMayFailAtAnyTime(string request, int fault, bool inPieces)
    {
        for (var at = 0; at < 4; at++)
        {
            using var one = new FaultTests();
            one.Driver.Options = one.Driver.Options with { EnvelopeBytes = inPieces ? 0 : 1 << 20, ChunkBytes = 33 };
            one.Coordinator.Faults = (name, n) => name == request && n == at ? (Fault)fault : Fault.None;
            one.Driver.Run();
            one.RequireExactlyOnce();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RequestsMayFailAtRandomForLong(ulong seed)
    {
        var random = new Aggregation.Randomness.SeededRandom(seed);
        Coordinator.Target = 40;
        Driver.Options = Driver.Options with { EnvelopeBytes = 200, ChunkBytes = 64 };
        Coordinator.HasExtras = true;
        Fault[] faults = [Fault.RequestLost, Fault.ReplyLost, Fault.TokenExpired, Fault.Busy, Fault.Silence];
        Coordinator.Faults = (_, _) => random.NextDouble() < 0.5 ? faults[random.NextInt(faults.Length)] : Fault.None;
        Driver.Run();
        RequireExactlyOnce();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ThePowerMayGoAtEveryStep(bool onDisk)
    {
        var cuts = 0;
        for (var step = 0; ; step++)
        {
            using var one = new FaultTests();
            using var folder = new TemporaryFolder();
            if (one.RunWithCut(step, onDisk ? folder.Path : null) == 0)
            {
                break;
            }

            cuts++;
        }

        Assert.True(cuts > 20, $"Only {cuts} places were found at which the power can go.");
    }

    [Theory]
    [InlineData("enrol")]
    [InlineData("token")]
    [InlineData("check-in")]
    [InlineData("download")]
    [InlineData("declare")]
    [InlineData("append")]
    [InlineData("send")]
    public void ThePowerMayGoDuringAnyRequest(string request)
    {
        for (var at = 0; at < 3; at++)
        {
            foreach (var isHandled in (bool[])[false, true])
            {
                using var one = new FaultTests();
                one.Driver.Options = one.Driver.Options with { EnvelopeBytes = request == "send" ? 1 << 20 : 0, ChunkBytes = 50 };
                var armed = true;
                void Cut(string name)
                {
                    if (armed && name == request && one.Coordinator.Requests[name] == at + 1)
                    {
                        armed = false;
                        throw new PowerCutException();
                    }
                }

                if (isHandled)
                {
                    one.Coordinator.Handled = Cut;
                }
                else
                {
                    one.Coordinator.Faults = (name, _) =>
                    {
                        Cut(name);
                        return Fault.None;
                    };
                }

                try
                {
                    one.Driver.Run();
                }
                catch (PowerCutException)
                {
                    one.Coordinator.AccessToken = null;
                    one.Driver.Run();
                }

                one.RequireExactlyOnce();
            }
        }
    }

    private int RunWithCut(int step, string? folder)
    {
        var cuts = 0;
        var countdown = step;
        Coordinator.HasExtras = true;
        IClientStore? inner = folder is null ? Store : null;
        while (true)
        {
            using var opened = folder is null ? null : new FileClientStore(folder, 1 << 20, Time);
            var store = new CrashingStore(opened ?? inner!) { Countdown = countdown };
            countdown = -1;
            Coordinator.AccessToken = null;
            var driver = new SessionDriver(Time, Coordinator, store, Trainer);
            try
            {
                driver.Run();
                RequireExactlyOnce();
                return cuts;
            }
            catch (PowerCutException)
            {
                cuts++;
            }
        }
    }
}
