using Federated.Simulation.Configuration;
using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Tests.Configuration;

/// <summary>The product's own option types, as the strict binder sees them.</summary>
public sealed class ExperimentSchemaTests
{
    [Fact]
    public void EveryOptionTypeCanBeConfigured() => Assert.NotEmpty(JsonSchemaWriter.Write(typeof(ExperimentConfiguration), "x", "x"));

    [Fact]
    public void TheResolvedDefaultsReadBack()
    {
        var experiment = new ExperimentConfiguration { Run = new() { Stop = new() { Versions = 5 } } };
        var text = ConfigWriter.Write(experiment);
        var read = ConfigurationFile.Read<ExperimentConfiguration>(text, "config.yaml");
        Assert.True(read.IsValid, string.Join("\n", read.Errors) + "\n" + text);
        Assert.Equal(text, ConfigWriter.Write(read.Value));
    }

    [Fact]
    public void AnExperimentWithoutAnEndIsRefusedThoughNothingWasWrittenWrong() =>
        Assert.Contains("A run needs an end", Assert.Single(ConfigurationFile.Read<ExperimentConfiguration>("name: x", "f.yaml").Errors).Message, StringComparison.Ordinal);
}
