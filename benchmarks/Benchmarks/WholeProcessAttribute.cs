namespace Federated.Benchmarks;

/// <summary>
/// Marks a static class with <c>static int Run(string[] args)</c> as a benchmark to run by name in a process of its own; finding it by this
/// attribute keeps Program.cs from being edited with every new one.
/// </summary>
/// <param name="name">First word of the command line.</param>
/// <param name="usage">Its arguments, and what it measures.</param>
/// <param name="takes">Its arguments in order, each as <see cref="Arguments"/> describes.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class WholeProcessAttribute(string name, string usage, params string[] takes) : Attribute
{
    public string Name { get; } = name;

    public string Usage { get; } = usage;

    public IReadOnlyList<string> Takes { get; } = takes;

    /// <summary>Options that each take a value, after the arguments.</summary>
    public string[] Options { get; init; } = [];

    /// <summary>First words with which it starts processes of itself; nobody else writes them.</summary>
    public string[] Inner { get; init; } = [];
}
