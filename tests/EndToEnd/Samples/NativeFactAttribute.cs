using System.Runtime.InteropServices;

namespace Federated.EndToEnd.Samples;

/// <summary>A fact that compiles a sample ahead of time; skipped where the toolchain is not there.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeFactAttribute : FactAttribute
{
    private static readonly string[] Packages =
    [
        $"runtime.{RuntimeInformation.RuntimeIdentifier}.Microsoft.DotNet.ILCompiler",
        $"Microsoft.NETCore.App.Runtime.NativeAOT.{RuntimeInformation.RuntimeIdentifier}",
    ];

    public NativeFactAttribute() => Skip = Missing() is { } missing
        ? $"The sample is not compiled natively: {missing}. It is on a machine that has it; see docs/client-sdk.md."
        : null!;

    private static string? Missing()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.OSArchitecture != System.Runtime.InteropServices.Architecture.X64)
        {
            return "the test is for Linux on x64";
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, "clang")) || File.Exists(Path.Combine(folder, "gcc"))))
        {
            return "there is neither clang nor gcc to link with";
        }

        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var packs = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "packs"));
        return Packages.FirstOrDefault(package => !Directory.Exists(Path.Combine(cache, package.ToLowerInvariant())) && !Directory.Exists(Path.Combine(packs, package))) is { } absent
            ? $"the package {absent} is neither in {cache} (dotnet restore samples/ConsoleDevice -r {RuntimeInformation.RuntimeIdentifier} fetches it where the feed carries it) nor in {packs}"
            : null;
    }
}

/// <summary>A fact that takes a minute or more; run with FED_SLOW_TESTS=1.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SlowFactAttribute : FactAttribute
{
    public SlowFactAttribute() => Skip = Environment.GetEnvironmentVariable("FED_SLOW_TESTS") == "1" ? null! : "It takes a minute or more: set FED_SLOW_TESTS=1 to run it.";
}

/// <summary>The same for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SlowTheoryAttribute : TheoryAttribute
{
    public SlowTheoryAttribute() => Skip = new SlowFactAttribute().Skip;
}
