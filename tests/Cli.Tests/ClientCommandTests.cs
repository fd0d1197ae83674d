using Federated.Aggregation.Randomness;
using Federated.Cli.Clients;
using Federated.Client.Participation;

namespace Federated.Cli.Tests;

public sealed class ClientCommandTests : IDisposable
{
    private readonly FedProcess fed = new();

    public void Dispose() => fed.Dispose();

    [Fact]
    public async Task ItsHelpHasExamples()
    {
        Assert.Equal(0, await fed.RunAsync("client", "--help"));
        Assert.Contains("Examples:", fed.Out, StringComparison.Ordinal);
        Assert.Contains("--server-file", fed.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "--run", "--data", "x")]
    [InlineData(2, "--count must be 1", "--run", "r", "--count", "0")]
    [InlineData(2, "Give one of them", "--run", "r", "--data", ".", "--count", "3")]
    [InlineData(3, "There is no folder", "--run", "r", "--data", "/nowhere/at/all")]
    [InlineData(2, "is no address", "--run", "r", "--server", "not an address")]
    [InlineData(2, "There is no file /nowhere/ca.crt", "--run", "r", "--server", "https://127.0.0.1:1", "--ca", "/nowhere/ca.crt")]
    [InlineData(2, "must begin with http", "--run", "r", "--server", "ftp://elsewhere")]
    [InlineData(2, "--when needs", "--run", "r", "--when", "tomorrow")]
    [InlineData(2, "is no run id", "--run", "../r", "--server", "http://127.0.0.1:1", "--state", "{state}")]
    public async Task WhatCannotBeIsToldBeforeAnythingIsAsked(int exitCode, string says, params string[] arguments)
    {
        var state = fed.PathOf("state");
        Assert.Equal(exitCode, await fed.RunAsync(["client", .. arguments.Select(a => a == "{state}" ? state : a)]));
        Assert.Contains(says, fed.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("always", typeof(AlwaysAvailable))]
    [InlineData("poisson:6.5", typeof(PoissonArrivals))]
    [InlineData("daily:22:00-06:00", typeof(DailySchedule))]
    public void PoliciesAreNamed(string text, Type policy) => Assert.IsType(policy, ClientArguments.Policy(text, new SeededRandom(1)));

    [Theory]
    [InlineData("poisson")]
    [InlineData("poisson:-1")]
    [InlineData("daily:22-06")]
    [InlineData("daily:22:00")]
    [InlineData("idle")]
    public void WhatIsNoPolicyIsRefused(string text) => Assert.Throws<CommandException>(() => ClientArguments.Policy(text, new SeededRandom(1)));
}
