using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Tests.Configuration.Binding;

public sealed class YamlConfigReaderTests
{
    private static string Error(string yaml) => Assert.Single(YamlConfigReader.Read(yaml, "f.yaml").Errors).ToString();

    [Theory]
    [InlineData("a: 1\na: 2", "f.yaml:2:1: key 'a' appears twice; the first is at f.yaml:1:1.")]
    [InlineData("a: !!int 1", "f.yaml:1:4: tag 'tag:yaml.org,2002:int' is not understood; the options give every value its type.")]
    [InlineData("a: *x", "f.yaml:1:4: there is no anchor 'x' before this alias.")]
    [InlineData("[a]: 1", "f.yaml:1:1: a key must be a plain word.")]
    [InlineData("a: 1\n---\nb: 2", "f.yaml:2:1: a second document starts here; a configuration is one document.")]
    public void WhatIsNotConfigurationIsRefusedWithItsPlace(string yaml, string message) => Assert.Equal(message, Error(yaml));

    [Theory]
    [InlineData("a: [1, 2")]
    [InlineData("a:\n\t- 1")]
    [InlineData("a: b: c")]
    [InlineData("\"open")]
    [InlineData("a: { b: c\nd: { e: 1 }")]
    public void BrokenYamlIsAnErrorWithALine(string yaml) => Assert.Matches(@"^f\.yaml:\d+:\d+: this is not YAML: ", Error(yaml));

    [Fact]
    public void DeepNestingIsRefusedBeforeTheStackEnds() => Assert.Contains("nested more than 64 deep", Error(new string('[', 10_000)), StringComparison.Ordinal);

    [Fact]
    public void AliasesThatMultiplyAreRefused()
    {
        // Ten lists, each holding the one before ten times: 10^10 values when expanded.
        var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains("more than 1000000 values", Error(yaml), StringComparison.Ordinal);
    }
}
