using Federated.Aggregation.ControlVariates;

namespace Federated.Aggregation.Tests.ControlVariates;

public sealed class ServerDriftTests
{
    [Fact]
    public void Adds_the_mean_drift_of_all_clients_to_the_mean_of_the_models()
    {
        // Two of four clients report 2 and 4: mean update 3, mean drift 6/4.
        var server = new ServerDrift<double>(1, 4);
        double[] model = [10.0], deployed = [0.0];
        server.Step(model, [3.0], 2, deployed);
        Assert.Equal(1.5, server.Value.Span[0]);
        Assert.Equal(13.0, deployed[0]);
        Assert.Equal(14.5, model[0]);

        // Clients that stay away keep their drift in the mean.
        server.Step(model, [-1.0], 1);
        Assert.Equal(1.25, server.Value.Span[0]);
        Assert.Equal(14.75, model[0]);
    }
}
