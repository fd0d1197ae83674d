using System.Reflection;

namespace Federated.Cli.Tests;

/// <summary>The command line in this process, with its output caught and a folder of its own.</summary>
internal sealed class FedProcess : IDisposable
{
    /// <summary>Small enough for milliseconds, and learns.</summary>
    public const string Tiny = """
        name: tiny
        data:
          source: {kind: drawn-digits, writers: 4, trainPerWriter: 12, testPerWriter: 6, size: 12}
        model: softmax
        training: {kind: local, batchSize: 6}
        strategy:
          scheduler: {kind: synchronous, cohort: 2}
        run:
          stop: {versions: 4}
        """;

    public string Folder { get; } = Directory.CreateTempSubdirectory("fed-cli-").FullName;

    public string Out { get; private set; } = "";

    public string Error { get; private set; } = "";

    public static string RepositoryRoot { get; } = Path.GetFullPath(
        typeof(FedProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!);

    /// <summary>Writes a file into the folder and gives its path.</summary>
    public string File(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    public string PathOf(params string[] parts) => Path.Combine([Folder, .. parts]);

    public Task<int> RunAsync(params string[] arguments) => RunAsync(_ => { }, arguments);

    /// <param name="before">Sees the terminal before the command starts.</param>
    public async Task<int> RunAsync(Action<Terminal> before, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var terminal = new Terminal(output, error, isLive: false, TimeProvider.System);
        before(terminal);
        var exitCode = await CommandLine.InvokeAsync(arguments, terminal);
        (Out, Error) = (output.ToString(), error.ToString());
        return exitCode;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
