using Federated.Aggregation.Compression;
using Federated.Simulation.Configuration.Binding;
using Federated.Simulation.Serving;
using Federated.Training.Data;
using Federated.Training.Data.Partitioning;
using Federated.Training.LocalObjectives;
using Federated.Training.Models;

namespace Federated.Simulation.Tests.Configuration.Binding;

public sealed class ConfigJsonTests
{
    [Fact]
    public void A_training_plan_is_read_back_as_it_was_written()
    {
        var plan = new ClientPlan
        {
            Model = new MultilayerPerceptronOptions { Hidden = [7, 5] },
            ExampleShape = [1, 8, 8],
            Classes = 10,
            BatchSize = 3,
            Objective = new FedProxOptions { Mu = 1e-9 },
            Compression = new CompressionOptions { Codec = new QsgdOptions() },
            Data = new DataOptions { Set = "drawn-digits", Partition = new DirichletPartition { Clients = 4 } },
            Seed = ulong.MaxValue,
        };

        var json = plan.ToJson();
        var read = ClientPlan.Parse(json);

        Assert.Equal(json.GetRawText(), read.ToJson().GetRawText());
        Assert.Equal(ulong.MaxValue, read.Seed);
        Assert.Equal(new FedProxOptions { Mu = 1e-9 }, read.Objective);
        Assert.Equal([1, 8, 8], read.ExampleShape);
        Assert.Equal("mlp", json.GetProperty("model").GetProperty("kind").GetString());
    }

    [Fact]
    public void A_plan_with_an_unknown_member_is_refused_by_name()
    {
        using var json = System.Text.Json.JsonDocument.Parse("""{"model": {"kind": "softmax"}, "exampleShape": [2], "classes": 2, "colour": "red"}""");

        var refused = Assert.Throws<SimulationException>(() => ClientPlan.Parse(json.RootElement));

        Assert.Contains("colour", refused.Message, StringComparison.Ordinal);
    }
}
