namespace Federated.Cli.Tests;

public sealed class ShufflerCommandTests : IDisposable
{
    private readonly FedProcess fed = new();

    public void Dispose() => fed.Dispose();

    [Theory]
    [InlineData("--min-batch must be 2", "--min-batch", "1")]
    [InlineData("give one of the two", "--previous", "KEY", "--tickets", "KEY")]
    [InlineData("is no address", "--to", "nowhere")]
    [InlineData("There is no store", "--previous", "KEY", "--store", "memory")]
    [InlineData("has one process", "--previous", "KEY", "--store", "postgres:Host=nowhere;Database=none")] // The second of a cascade.
    public async Task WhatCannotBeIsToldBeforeAnythingIsAsked(string says, params string[] arguments)
    {
        string[] to = arguments.Contains("--to") ? [] : ["--to", "http://127.0.0.1:1"];
        Assert.Equal(2, await fed.RunAsync(["shuffler", "--data", fed.PathOf("shuffler"), "--name", "s2", .. to, .. arguments]));
        Assert.Contains(says, fed.Error, StringComparison.Ordinal);
    }
}
