using Federated.Coordinator.Privacy;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;

namespace Federated.Coordinator.Tests.Privacy;

/// <summary>Which budget over all runs a coordinator keeps to, alone and as one of several.</summary>
public sealed class LifetimeBudgetsTests : IDisposable
{
    private static readonly LifetimeBudget Ten = new() { Epsilon = 10 }, Five = new() { Epsilon = 5, Delta = 1e-6 };

    private readonly string folder = Directory.CreateTempSubdirectory("fed-budgets-").FullName;
    private readonly ManualTime time = new();
    private readonly IDocumentStore documents;

    public LifetimeBudgetsTests() => documents = new FileDocumentStore(new PhysicalFileSystem(folder), "documents");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task All_silos_keep_to_the_one_that_was_said_last_after_a_lease()
    {
        var first = await OpenAsync(Ten);
        var without = await OpenAsync(null);
        Assert.Equal((Ten, Ten), (await BudgetOf(first), await BudgetOf(without)));
        var last = await OpenAsync(Five);
        Assert.Equal((Five, Ten), (await BudgetOf(last), await BudgetOf(first)));
        time.Advance(5);
        Assert.Equal((Five, Five, Five), (await BudgetOf(first), await BudgetOf(without), await BudgetOf(last)));
    }

    [Fact]
    public async Task One_that_is_said_later_holds_for_silos_that_were_started_without()
    {
        var without = await OpenAsync(null);
        Assert.Null(await BudgetOf(without));
        await OpenAsync(Ten);
        time.Advance(5);
        Assert.Equal(Ten, await BudgetOf(without));
    }

    [Fact]
    public async Task A_coordinator_that_is_alone_has_its_own()
    {
        await OpenAsync(Ten);
        var alone = await LifetimeBudgets.OpenAsync(documents, null, null, time, default);
        Assert.Null(await BudgetOf(alone));
    }

    private ValueTask<LifetimeBudgets> OpenAsync(LifetimeBudget? budget) => LifetimeBudgets.OpenAsync(documents, budget, TimeSpan.FromSeconds(5), time, default);

    private static async Task<LifetimeBudget?> BudgetOf(LifetimeBudgets budgets) => (await budgets.LedgerAsync(default))?.Budget;
}
