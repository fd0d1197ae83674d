using System.Text.Encodings.Web;
using System.Text.Json;

namespace Federated.Cli.Output;

/// <summary>Tells errors: to people on stderr, and to machines that asked for JSON also on stdout.</summary>
internal sealed class Reporter(Terminal terminal, bool json)
{
    public static JsonWriterOptions JsonOptions { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public int Fail(int exitCode, IEnumerable<string> messages, string hint = "")
    {
        var lines = messages.ToList();
        foreach (var line in lines)
        {
            terminal.Error.WriteLine($"fed: {line}");
        }

        if (hint.Length > 0)
        {
            terminal.Error.WriteLine(hint);
        }

        if (json)
        {
            WriteJson(terminal, writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartObject("error");
                writer.WriteNumber("exit_code", exitCode);
                writer.WriteString("kind", KindOf(exitCode));
                writer.WriteStartArray("messages");
                lines.ForEach(writer.WriteStringValue);
                writer.WriteEndArray();
                writer.WriteEndObject();
                writer.WriteEndObject();
            });
        }

        return exitCode;
    }

    /// <summary>One JSON document on stdout.</summary>
    public static void WriteJson(Terminal terminal, Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonOptions))
        {
            write(writer);
        }

        terminal.Out.WriteLine(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static string KindOf(int exitCode) => exitCode switch
    {
        ExitCodes.Usage => "usage",
        ExitCodes.Data => "data",
        ExitCodes.RunFailed => "run-failed",
        ExitCodes.Environment => "environment",
        ExitCodes.Interrupted => "interrupted",
        _ => "defect",
    };
}
