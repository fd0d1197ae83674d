using System.Text.Json.Serialization;
using Federated.Aggregation.ExampleWeights;
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
        foreach (var kind in Kinds(typeof(AggregatorOptions)))
        {
            var options = (AggregatorOptions)Activator.CreateInstance(kind.DerivedType)!;
            Assert.Equal(kind.TypeDiscriminator, Aggregators.Create<float>(options, 4).Name);
            Assert.Equal(kind.TypeDiscriminator, Aggregators.Create<double>(options, 4).Name);
        }

        Assert.Throws<AggregationException>(() => Aggregators.Create<float>(null!, 4));
    }

    [Fact]
    public void Every_aggregator_is_held_to_the_invariants_of_all()
    {
        var held = typeof(AggregatorsTests).Assembly.GetTypes()
            .Where(type => !type.IsAbstract && type.BaseType is { } parent && (IsConformance(parent) || (parent.BaseType is { } above && IsConformance(above))))
            .Select(type => (string)type.GetProperty(nameof(AggregatorConformance<float>.NameUnderTest))!.GetValue(Activator.CreateInstance(type))!);
        Assert.Empty(Kinds(typeof(AggregatorOptions)).Select(kind => (string)kind.TypeDiscriminator!).Except(held));

        static bool IsConformance(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(AggregatorConformance<>);
    }

    [Fact]
    public void Every_server_optimizer_can_be_made_and_knows_its_name()
    {
        foreach (var kind in Kinds(typeof(ServerOptimizerOptions)))
        {
            // The window has no default that would make sense.
            var options = kind.DerivedType == typeof(DelayedNesterovOptions)
                ? new DelayedNesterovOptions { Window = 2 }
                : (ServerOptimizerOptions)Activator.CreateInstance(kind.DerivedType)!;
            Assert.Equal(kind.TypeDiscriminator, Optimizers.Create<float>(options, 4).Name);
        }

        Assert.Throws<AggregationException>(() => Optimizers.Create<float>(null!, 4));
    }

    [Fact]
    public void Every_weight_knows_its_name()
    {
        foreach (var type in new[] { typeof(StalenessWeight), typeof(ExampleWeight) })
        {
            foreach (var kind in Kinds(type))
            {
                var weight = Activator.CreateInstance(kind.DerivedType)!;
                Assert.Equal(kind.TypeDiscriminator, (weight as IStalenessWeight)?.Name ?? ((IExampleWeight)weight).Name);
            }
        }
    }

    private static List<JsonDerivedTypeAttribute> Kinds(Type options)
    {
        var kinds = options.GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false).Cast<JsonDerivedTypeAttribute>().ToList();
        Assert.NotEmpty(kinds);
        return kinds;
    }
}
