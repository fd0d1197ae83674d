using System.Diagnostics;

namespace Federated.EndToEnd.Interoperability;

/// <summary>A fact that needs python3 (standard library only); skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonFactAttribute : FactAttribute
{
    public PythonFactAttribute() => Skip = Programs.Find("python3") is null ? "python3 was not found" : null!;

    /// <summary>Runs python3.</summary>
    internal static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => Programs.RunAsync(new ProcessStartInfo("python3", arguments));
}
