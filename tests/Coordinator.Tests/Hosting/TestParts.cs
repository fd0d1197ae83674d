using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Tests.Hosting;

internal static class TestParts
{
    public static RunParts Of(RunMachine machine, IRunModel model, ParameterLayout layout) => new()
    {
        Machine = machine,
        Model = model,
        Layout = layout,
        Training = JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["kind"] = "test" }),
        MaxUpdateBytes = (8L * layout.Count) + 4096,
        Terms = assignment => new AssignmentTerms((ulong)assignment.Id.Value, 1, null),
    };
}
