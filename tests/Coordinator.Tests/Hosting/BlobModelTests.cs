using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public sealed class BlobModelTests
{
    private const int D = 9, Clients = 4;

    private static readonly ParameterLayout Layout = ParameterLayout.Of(("w", [D]));

    public static TheoryData<AggregatorOptions, ServerOptimizerOptions, string> Strategies => new()
    {
        { new WeightedMeanOptions(), new MomentumOptions(), "" },
        { new WeightedMeanOptions(), new AdamOptions { BiasCorrection = true }, "" },
        { new WeightedMeanOptions(), new DelayedNesterovOptions { Window = 3, Activation = 0.1 }, "" },
        { new CenteredClippingOptions { Radius = 1 }, new SgdOptions(), "" },
        { new ShiftedMeanOptions { Clients = Clients }, new SgdOptions(), "" },
        { new WeightedMeanOptions { Normalisation = Normalisation.Count }, new YogiOptions(), "scaffold" },
        { new WeightedMeanOptions { Normalisation = Normalisation.Count }, new SgdOptions(), "feddyn" },
    };

    /// <summary>All state that the next version depends on is saved: aggregator, optimizer, objective, and the model to ship.</summary>
    [Theory]
    [MemberData(nameof(Strategies))]
    public async Task A_restored_model_goes_on_to_the_same_bits(AggregatorOptions aggregator, ServerOptimizerOptions optimizer, string objective)
    {
        var blobs = new FileBlobStore(new FaultyFileSystem(1), "blobs");
        BlobModel<double> New() => new(Layout, () => new ModelState<double>(
            new double[D], Aggregators.Create<double>(aggregator, D), ServerOptimizers.Create<double>(optimizer, D), Objective(objective)), ElementType.F64);
        var model = New();
        Advance(model, 1);
        Advance(model, 2);
        var restored = New();
        await restored.LoadAsync(2, await model.SaveVersionAsync(blobs, default), await model.SaveStateAsync(blobs, default), blobs, default);
        AssertSame(model, restored);
        for (var version = 3; version < 7; version++)
        {
            Advance(model, version);
            Advance(restored, version);
            AssertSame(model, restored);
        }
    }

    private static void AssertSame(BlobModel<double> expected, BlobModel<double> actual)
    {
        Assert.Equal(expected.State.Current.Version, actual.State.Current.Version);
        Assert.Equal(expected.State.Current.Parameters, actual.State.Current.Parameters);
        Assert.Equal(expected.State.Deployed, actual.State.Deployed);
        Assert.Equal(expected.State.Current.Extras.Keys, actual.State.Current.Extras.Keys);
        Assert.All(expected.State.Current.Extras, extra => Assert.Equal(extra.Value.ToArray(), actual.State.Current.Extras[extra.Key].ToArray()));
    }

    private static IObjectiveServer<double>? Objective(string name) => name switch
    {
        "scaffold" => new ControlVariateServer<double>("c", "dc", D, Clients),
        "feddyn" => new DriftServer<double>(D, Clients),
        _ => null,
    };

    private static void Advance(BlobModel<double> model, int version)
    {
        for (var client = 0; client < 2; client++)
        {
            var random = SeededRandom.Derive(1, "update", version, client);
            double[] Vector() => [.. Enumerable.Range(0, D).Select(_ => random.NextDouble() - 0.5)];
            var lease = new Assignment(new AssignmentId((version * 2) + client), new ClientId(client), version - 1, LocalWork.OfSteps(1), 0, double.PositiveInfinity);
            var effect = new Accumulate(lease, new UpdateReport { Examples = 10, LocalSteps = 1 }, 1, 0, DeltaBasis.BaseVersion);
            model.State.Accumulate(effect, Vector(), [], new Dictionary<string, ReadOnlyMemory<double>> { ["dc"] = Vector() });
        }

        model.Publish(new Publish(version, 2));
    }
}
