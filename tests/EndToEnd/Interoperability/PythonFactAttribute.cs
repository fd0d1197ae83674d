using System.ComponentModel;
using System.Diagnostics;

namespace Federated.EndToEnd.Interoperability;

/// <summary>A fact that needs python3 (standard library only); skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonFactAttribute : FactAttribute
{
    private static readonly bool IsThere = Run("--version").ExitCode == 0;

    public PythonFactAttribute() => Skip = IsThere ? null! : "python3 was not found";

    /// <summary>Runs python3; an exit code of −1 says that there is none.</summary>
    internal static (int ExitCode, string Out, string Error) Run(params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("python3", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.GetAwaiter().GetResult());
        }
        catch (Win32Exception)
        {
            return (-1, "", "");
        }
    }
}
