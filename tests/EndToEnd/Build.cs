using System.Reflection;

namespace Federated.EndToEnd;

/// <summary>What the build says of itself: where the repository is, and which optional engines are in.</summary>
internal static class Build
{
    public static string RepositoryRoot { get; } = Path.GetFullPath(Metadata("RepositoryRoot"));

    public static bool IsEnabled(string engine) => Metadata($"Enable{engine}") == "true";

    private static string Metadata(string key) => typeof(Build).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
