using System.Reflection;

namespace Federated.EndToEnd.Architecture;

/// <summary>The two optional projects are part of every build; without their packages they compile empty.</summary>
public sealed class OptionalEngineTests
{
    public static TheoryData<string, string> Engines => new() { { "Client.TorchSharp", "TorchSharp" }, { "Coordinator.Orleans", "Orleans" } };

    [Theory]
    [MemberData(nameof(Engines))]
    public void TheSolutionHoldsTheProject(string project, string engine)
    {
        var solution = File.ReadAllText(Path.Combine(Build.RepositoryRoot, "Federated.sln"));
        Assert.Contains($@"""src\{project}\{project}.csproj""", solution, StringComparison.Ordinal);
        Assert.NotEmpty(engine);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void WithoutItsPackagesTheProjectCompilesEmptyAndReferencesNoEngine(string project, string engine)
    {
        var assembly = Assembly.Load($"Federated.{project}");
        if (Build.IsEnabled(engine))
        {
            Assert.NotEmpty(assembly.GetExportedTypes());
            return;
        }

        Assert.Empty(assembly.GetExportedTypes());
        Assert.DoesNotContain(assembly.GetReferencedAssemblies(), name => name.Name!.Contains(engine, StringComparison.OrdinalIgnoreCase));
    }
}
