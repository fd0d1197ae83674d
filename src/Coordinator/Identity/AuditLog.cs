using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Federated.Coordinator.Identity;

/// <summary>Every privileged act, in a file of JSON lines that only grows: who did what to what, when, and whether it was let.</summary>
/// <remarks>
/// Each line carries a digest over itself and the line before, so that a line that was changed or taken out shows; the last lines can still
/// be cut off by whoever may write the file, so ship it elsewhere where that matters.
/// </remarks>
public sealed class AuditLog : IAsyncDisposable
{
    private readonly Journal<AuditEntry> journal;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private string last;

    private AuditLog(Journal<AuditEntry> journal, TimeProvider clock, string last) => (this.journal, this.clock, this.last) = (journal, clock, last);

    /// <exception cref="IdentityException">The file is damaged, or a line was changed or taken out.</exception>
    public static AuditLog Open(string path, TimeProvider clock)
    {
        var journal = Journal<AuditEntry>.Open(path, IdentityJson.Default.AuditEntry, out var history);
        var previous = "";
        for (var i = 0; i < history.Count; i++)
        {
            if (history[i].Chain != Chain(previous, history[i]))
            {
                throw new IdentityException($"Line {i + 1} of the audit log '{path}' is not what was written, or a line before it is gone. Keep the file as evidence and move it away to start a new one.");
            }

            previous = history[i].Chain;
        }

        return new AuditLog(journal, clock, previous);
    }

    /// <summary>Writes an act down; it is durable when this completes.</summary>
    /// <param name="who">Null for somebody who is not known.</param>
    public Task WriteAsync(Principal? who, string act, string target, string outcome, string detail = "")
    {
        lock (gate)
        {
            var at = clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            var entry = new AuditEntry(at, who?.ToString() ?? "nobody", act, target, outcome, detail, "");
            entry = entry with { Chain = Chain(last, entry) };
            last = entry.Chain;
            return journal.AppendAsync(entry);
        }
    }

    public ValueTask DisposeAsync() => journal.DisposeAsync();

    private static string Chain(string previous, AuditEntry entry) => Convert.ToHexStringLower(
        SHA256.HashData([.. System.Text.Encoding.ASCII.GetBytes(previous), .. JsonSerializer.SerializeToUtf8Bytes(entry with { Chain = "" }, IdentityJson.Default.AuditEntry)]))[..32];
}

/// <summary>One line of the audit log.</summary>
internal sealed record AuditEntry(string At, string Who, string Act, string Target, string Outcome, string Detail, string Chain);
