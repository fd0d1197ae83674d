using System.Globalization;
using Federated.Client.Session;
using Federated.Simulation.Reports;

namespace Federated.Cli.Clients;

/// <summary>A client's session as lines for a person.</summary>
internal sealed class ClientLines(TextWriter output, TimeProvider clock, string prefix) : IClientObserver
{
    private readonly Lock sync = new();
    private string lastWait = "";
    private bool hasRetried;

    public void On(ClientEvent happened)
    {
        var line = happened switch
        {
            Enrolled e => $"enrolled as {e.Client}",
            Resting r => $"rests for {Readable.Seconds(r.For.TotalSeconds)}",
            Waiting w => w.Reason == lastWait ? null : w.Reason,
            Assigned a => $"assignment {a.Assignment}: trains from version {a.BaseVersion}",
            Trained t => $"assignment {t.Assignment}: {t.Steps} steps, loss {Readable.Number(t.Loss)}; sends {Readable.Bytes(t.Bytes)}",
            Settled { Outcome.Accepted: true } s => $"assignment {s.Assignment}: accepted",
            Settled s => $"assignment {s.Assignment}: refused ({s.Outcome.Reason}) {s.Outcome.Detail}".TrimEnd(),
            GivenUp g => $"assignment {g.Assignment}: given up; {g.Reason}",
            Evaluated e => $"version {e.Version}: accuracy {Readable.Percent(e.Report.Accuracy)} on {Readable.Number(e.Report.Examples)} examples of its own",
            PrivacyRefused { Assignment: { } refused } r => $"assignment {refused}: refused by this client's privacy requirements; {r.Reason}",
            PrivacyRefused r => $"takes no part; {r.Reason}",
            EvaluationFailed e => $"version {e.Version}: not evaluated; {e.Reason}",
            Retrying r => $"{r.Problem.ToString().TrimEnd('.')}; tries again in {Readable.Seconds(r.After.TotalSeconds)}{Patience(r)}",
            _ => null,
        };
        lock (sync)
        {
            hasRetried |= happened is Retrying;
            lastWait = happened is Waiting waiting ? waiting.Reason : happened is Assigned ? "" : lastWait;
            if (line is not null)
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.GetLocalNow():HH:mm:ss} {prefix}{line}"));
            }
        }
    }

    // Once: whoever mistyped an address must not wait for an error that never comes.
    private string Patience(Retrying happened) => !hasRetried && happened.Problem.Status == 0 ? ", and so on for ever; Ctrl-C ends it. Is the address right, and fed serve there?" : "";
}
