namespace Federated.Coordinator.Http;

/// <summary>A kind of error that a client may meet: its stable name, its status, and what people read. docs/problems.md has a section for each.</summary>
/// <param name="Name">Last part of the problem's <c>type</c>, <c>/problems/NAME</c>.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">The same for every occurrence.</param>
public sealed record ProblemType(string Name, int Status, string Title)
{
    public string Path { get; } = $"/problems/{Name}";
}
