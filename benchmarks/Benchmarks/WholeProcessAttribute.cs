namespace Federated.Benchmarks;

/// <summary>
/// Marks a static class with <c>static int Run(string[] args)</c> as a benchmark to run by name in a process of its own; finding it by this
/// attribute keeps Program.cs from being edited with every new one.
/// </summary>
/// <param name="name">First word of the command line.</param>
/// <param name="usage">Its arguments, and what it measures.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class WholeProcessAttribute(string name, string usage) : Attribute
{
    public string Name { get; } = name;

    public string Usage { get; } = usage;
}
