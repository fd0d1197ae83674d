using Federated.Aggregation.Parameters;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Tests.Storage;
using Federated.Privacy.Accounting;
using Federated.Privacy.Statements;

namespace Federated.Coordinator.Tests.Hosting;

/// <content>Branches, and what they inherit.</content>
public abstract partial class RunRegistryConformance
{
    [ConformanceFact]
    public async Task ABranchStartsFromTheVersionItWasTakenFrom()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var source = await registry.CreateAsync("source", TestFactory.Buffered(1, 1), default);
        await WorkAsync(source, "c", 3);
        var branch = await registry.BranchAsync("branch", "source", 2, TestFactory.Synchronous(2), default);
        Assert.Equal(source.View.Versions[2].Model, branch.View.Versions[0].Model);
        Assert.Equal(
            new RunOrigin("source", 2, source.View.Versions[2].Model, new PrivacyInheritance("source", 2, InheritanceBasis.Unbounded)), branch.Entry.Origin);
        var error = await Assert.ThrowsAsync<CoordinatorException>(() => registry.BranchAsync("other", "source", 77, null, default));
        Assert.Contains("does not hold version 77", error.Message, StringComparison.Ordinal);
    }

    [ConformanceFact]
    public async Task ABranchInheritsWhatItsVersionHadCostAndABranchOfItBoth()
    {
        static double Cost(int times) => AnalyticGaussian.Epsilon(2 / Math.Sqrt(times), 1e-6);
        var (registry, store) = await OpenAsync();
        var source = await registry.CreateAsync("source", TestFactory.Configuration("private 1 1 5 10"), default);
        await ContributeAsync(source, "c", 3);

        // As of the version, not as of now; and of the first version nothing.
        var branch = await registry.BranchAsync("branch", "source", 2, TestFactory.Configuration("private 1 1 2 10"), default);
        var inherited = branch.Entry.Origin!.Inherited;
        Assert.Equal(("source", 2, InheritanceBasis.AtVersion), (inherited.Run, inherited.Version, inherited.Basis));
        Assert.Equal((Cost(2), 1e-6), (inherited.Guarantee!.Epsilon, inherited.Guarantee.Delta));
        Assert.NotEmpty(inherited.Guarantee.Assumptions);
        Assert.All(inherited.Guarantee.Assumptions, a => Assert.StartsWith("In run 'source': ", a, StringComparison.Ordinal));
        var first = await registry.BranchAsync("first", "source", 0, null, default);
        Assert.Equal(new PrivacyInheritance("source", 0, InheritanceBasis.Nothing), first.Entry.Origin!.Inherited);

        // What a branch's first version cost is what the branch inherited.
        await ContributeAsync(branch, "c", 1);
        var child = await registry.BranchAsync("child", "branch", 1, null, default);
        Assert.Equal(Cost(2) + Cost(1), child.Entry.Origin!.Inherited.Guarantee!.Epsilon, 1e-12);
        Assert.Equal(2e-6, child.Entry.Origin.Inherited.Guarantee.Delta, 1e-15);
        var again = await registry.BranchAsync("again", "branch", 0, null, default);
        Assert.Equal((("branch", 0), Cost(2)), ((again.Entry.Origin!.Inherited.Run, again.Entry.Origin.Inherited.Version), again.Entry.Origin.Inherited.Epsilon));

        // Neither the end of the process nor that of the run that it came from takes anything away.
        Assert.True(await registry.DeleteAsync("source", default));
        await registry.DisposeAsync();
        await store.DisposeAsync();
        (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        Assert.Equal(inherited, registry.Find("branch")!.Entry.Origin!.Inherited, (a, b) => a!.Equals(b));
        Assert.Equal(Cost(2) + Cost(1), registry.Find("child")!.Entry.Origin!.Inherited.Epsilon, 1e-12);
    }

    [ConformanceFact]
    public async Task ABranchWhoseBudgetDoesNotCoverWhatItInheritsIsRefusedAndLeavesNothing()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var source = await registry.CreateAsync("source", TestFactory.Configuration("private 1 1 9 10 20"), default);
        await ContributeAsync(source, "c", 4);
        var refused = await Assert.ThrowsAsync<CoordinatorException>(() => registry.BranchAsync("branch", "source", 4, TestFactory.Configuration("private 1 1 4 10 9"), default));
        Assert.Contains("Version 4 of 'source' has cost its clients ε = ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("more than the budget of ε = 9, which covers both", refused.Message, StringComparison.Ordinal);
        Assert.Null(registry.Find("branch"));
        await registry.BranchAsync("branch", "source", 1, TestFactory.Configuration("private 1 1 4 10 9"), default); // An earlier version leaves enough.
        await registry.BranchAsync("more", "source", 4, TestFactory.Configuration("private 1 1 4 10 20"), default); // So does a larger budget.

        // Nothing bounds the cost of a version without a policy, whatever the branch does.
        await WorkAsync(await registry.CreateAsync("plain", TestFactory.Buffered(1, 1), default), "c", 1);
        refused = await Assert.ThrowsAsync<CoordinatorException>(() => registry.BranchAsync("hopeful", "plain", 1, TestFactory.Configuration("private 1 1 1 10 900"), default));
        Assert.Contains("has a cost that nothing bounds", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Momentum of β = 1/2: a one-hot update moves its coordinate by 1, then by 1/2, by 1/4 …</summary>
    [ConformanceFact]
    public async Task ABranchOfTheLatestVersionGoesOnWithItsServerOptimizersState()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var source = await registry.CreateAsync("source", TestFactory.Configuration("momentum 1 1"), default);
        await WorkAsync(source, "c", 2);
        var latest = await registry.BranchAsync("latest", "source", 2, null, default);
        await AssertBeginsAsync(latest, 0, 1.5, 1, 0);
        await WorkAsync(latest, "c", 1);
        await AssertBeginsAsync(latest, 1, 1.5 + 0.25 + 1, 1 + 0.5, 0);

        // An earlier version has lost it, and another optimizer could not use it.
        var earlier = await registry.BranchAsync("earlier", "source", 1, null, default);
        var other = await registry.BranchAsync("other", "source", 2, TestFactory.Configuration("nesterov 1 1"), default);
        Assert.Equal((true, false, false), (latest.Entry.Origin!.Optimizer is not null, earlier.Entry.Origin!.Optimizer is not null, other.Entry.Origin!.Optimizer is not null));
        await WorkAsync(earlier, "c", 1);
        await AssertBeginsAsync(earlier, 1, 2, 0, 0);

        // A crash finds it again, whatever has become of the run that it came from.
        Assert.True(await registry.DeleteAsync("source", default));
        await SweepThriceAsync(registry);
        await AssertOpensAsync("latest", latest);

        async Task AssertBeginsAsync(RunHost run, int version, params double[] expected)
        {
            var values = new double[TestFactory.Parameters];
            await using var model = await registry.Blobs.OpenAsync(run.View.Versions[version].Model, default);
            SafetensorsReader.Open(model).Read<double>(TestFactory.Layout, values);
            Assert.Equal(expected, values[..expected.Length]);
        }
    }
}
