using Federated.Aggregation.ControlVariates;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.ControlVariates;

public sealed class ServerControlTests
{
    [Fact]
    public void Stays_the_mean_of_all_clients_controls_under_partial_participation()
    {
        const int N = 7;
        var server = new ServerControl<double>(1, N);
        var clients = new double[N];
        var random = new SeededRandom(3);
        for (var version = 0; version < 50; version++)
        {
            var change = 0.0;
            var accepted = 1 + random.NextInt(N);
            for (var i = 0; i < accepted; i++)
            {
                var delta = random.NextNormal();
                clients[(version + i) % N] += delta;
                change += delta / accepted;
            }

            server.Apply([change], accepted);
            Assert.Equal(clients.Average(), server.Value.Span[0], 12);
        }
    }

    [Fact]
    public void Refuses_a_mean_over_nobody_or_of_another_length()
    {
        var server = new ServerControl<double>(1, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => server.Apply([1.0], 0));
        Assert.Throws<ArgumentException>(() => server.Apply([1.0, 2.0], 1));
    }
}
