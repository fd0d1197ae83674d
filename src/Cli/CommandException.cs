namespace Federated.Cli;

/// <summary>A verb that ends early, with its exit code and what to tell the user.</summary>
public sealed class CommandException(int exitCode, params IEnumerable<string> messages) : Exception(string.Join(System.Environment.NewLine, messages))
{
    public int ExitCode { get; } = exitCode;

    public IReadOnlyList<string> Messages { get; } = [.. messages];
}
