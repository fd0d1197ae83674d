using System.Runtime.InteropServices;
using System.Text;
using Spectre.Console;

namespace Federated.Cli;

/// <summary>Where the command line reads and writes; tests bring their own.</summary>
public sealed class Terminal : IDisposable
{
    private readonly CancellationTokenSource interrupt = new();
    private readonly List<IDisposable> owned = [];

    /// <param name="isLive">Whether the output is a terminal that a person looks at: then progress is drawn in place.</param>
    public Terminal(TextWriter output, TextWriter error, bool isLive, TimeProvider clock)
    {
        (Out, Error, IsLive, Clock) = (output, error, isLive, clock);
        Ansi = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isLive ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = isLive ? InteractionSupport.Detect : InteractionSupport.No,
        });
    }

    /// <summary>Results: what a pipe should get.</summary>
    public TextWriter Out { get; }

    /// <summary>Errors and hints.</summary>
    public TextWriter Error { get; }

    public bool IsLive { get; }

    public TimeProvider Clock { get; }

    public IAnsiConsole Ansi { get; }

    /// <summary>Signalled by the first Ctrl-C or SIGTERM.</summary>
    public CancellationToken Interrupted => interrupt.Token;

    /// <summary>The process's own: the first Ctrl-C asks the command to end, the second ends the process.</summary>
    public static Terminal OfProcess()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var isLive = !Console.IsOutputRedirected && string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable("CI"))
            && System.Environment.GetEnvironmentVariable("TERM") != "dumb";
        if (!Console.IsOutputRedirected)
        {
            Console.OutputEncoding = utf8;
        }

        var output = Console.IsOutputRedirected ? new StreamWriter(Console.OpenStandardOutput(), utf8) { AutoFlush = true } : Console.Out;
        var terminal = new Terminal(output, Console.Error, isLive, TimeProvider.System);
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM])
        {
            terminal.owned.Add(PosixSignalRegistration.Create(signal, context =>
            {
                if (!terminal.interrupt.IsCancellationRequested)
                {
                    context.Cancel = true;
                    terminal.Interrupt();
                }
            }));
        }

        return terminal;
    }

    /// <summary>What a first Ctrl-C does.</summary>
    public void Interrupt() => interrupt.Cancel();

    public void Dispose()
    {
        foreach (var item in owned)
        {
            item.Dispose();
        }

        interrupt.Dispose();
    }
}
