using System.Text.Json;
using Federated.Cli;

namespace Federated.EndToEnd.Serving;

/// <summary>The <c>fed</c> command in this process, as its user would type it.</summary>
internal static class Fed
{
    static Fed()
    {
        Environment.SetEnvironmentVariable("FED_HOME", Home);
        AppDomain.CurrentDomain.ProcessExit += static (_, _) => Directory.Delete(Home, recursive: true);
    }

    /// <summary>In place of the user's own.</summary>
    public static string Home { get; } = Directory.CreateTempSubdirectory("federated-home-").FullName;

    /// <summary>Runs a verb that must succeed; its standard output.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var (code, output, error) = await TryAsync(arguments);
        Assert.True(code == 0, $"fed {string.Join(' ', arguments)} ended with {code}:\n{error}\n{output}");
        return output;
    }

    public static async Task<(int Code, string Output, string Error)> TryAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var terminal = new Terminal(output, error, isLive: false, TimeProvider.System);
        var code = await CommandLine.InvokeAsync(arguments, terminal);
        return (code, output.ToString(), error.ToString());
    }

    public static async Task<JsonElement> RunJsonAsync(params string[] arguments)
    {
        using var document = JsonDocument.Parse(await RunAsync([.. arguments, "--json"]));
        return document.RootElement.Clone();
    }
}
