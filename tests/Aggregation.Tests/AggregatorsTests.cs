using System.Text.Json.Serialization;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.Robust;
using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Staleness;
using Optimizers = Federated.Aggregation.ServerOptimizers.ServerOptimizers;

namespace Federated.Aggregation.Tests;

/// <summary>Whatever config can name can be made, and calls itself what config calls it.</summary>
public class AggregatorsTests
{
    [Fact]
    public void Every_aggregator_can_be_made_and_knows_its_name()
    {
        AggregatorOptions[] all = [new WeightedMeanOptions(), new FedNovaOptions(), new AnarchicMeanOptions(), new AnarchicMemoryOptions()];
        foreach (var options in all)
        {
            Assert.Equal(KindOf(typeof(AggregatorOptions), options.GetType()), Aggregators.Create<float>(options, 4).Name);
        }

        Assert.Equal(RobustRules.Krum, Aggregators.Create<float>(new RobustOptions { Rule = RobustRules.Krum }, 4).Name);
        Assert.Equal(1 + all.Length, KindsOf(typeof(AggregatorOptions)));
        Assert.Throws<AggregationException>(() => Aggregators.Create<float>(null!, 4));
    }

    [Fact]
    public void Every_server_optimizer_can_be_made_and_knows_its_name()
    {
        ServerOptimizerOptions[] all =
        [
            new SgdOptions(), new MomentumOptions(), new NesterovOptions(), new DelayedNesterovOptions { Window = 2 }, new AdagradOptions(),
            new YogiOptions(), new AdamOptions(),
        ];
        foreach (var options in all)
        {
            Assert.Equal(KindOf(typeof(ServerOptimizerOptions), options.GetType()), Optimizers.Create<float>(options, 4).Name);
        }

        Assert.Equal(all.Length, KindsOf(typeof(ServerOptimizerOptions)));
        Assert.Throws<AggregationException>(() => Optimizers.Create<float>(null!, 4));
    }

    [Fact]
    public void Every_weight_knows_its_name()
    {
        foreach (var type in new[] { typeof(StalenessWeight), typeof(ExampleWeight) })
        {
            foreach (var kind in type.GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false).Cast<JsonDerivedTypeAttribute>())
            {
                var weight = Activator.CreateInstance(kind.DerivedType)!;
                Assert.Equal(kind.TypeDiscriminator, (weight as IStalenessWeight)?.Name ?? ((IExampleWeight)weight).Name);
            }
        }
    }

    private static object? KindOf(Type options, Type derived) =>
        options.GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false).Cast<JsonDerivedTypeAttribute>().Single(a => a.DerivedType == derived).TypeDiscriminator;

    private static int KindsOf(Type options) => options.GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false).Length;
}
