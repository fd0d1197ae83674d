using System.Globalization;
using Federated.Client.Session;

namespace Federated.Cli.Clients;

/// <summary>Many clients' sessions as numbers, and as a line every few seconds.</summary>
internal sealed class ClientTally(TextWriter? output, TimeProvider clock, int clients) : IClientObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private readonly Lock sync = new();
    private long lastLine;
    private int started;

    public int Accepted { get; private set; }

    public int Rejected { get; private set; }

    public int GivenUp { get; private set; }

    /// <summary>Requests that had to be repeated.</summary>
    public int Retries { get; private set; }

    public string LastProblem { get; private set; } = "";

    /// <summary>What went wrong, and how often.</summary>
    public SortedDictionary<string, int> Problems { get; } = new(StringComparer.Ordinal);

    public void On(ClientEvent happened)
    {
        lock (sync)
        {
            switch (happened)
            {
                case Enrolled:
                    started++;
                    break;
                case Settled settled:
                    Accepted += settled.Outcome.Accepted ? 1 : 0;
                    Rejected += settled.Outcome.Accepted ? 0 : 1;
                    if (!settled.Outcome.Accepted)
                    {
                        Count($"update refused: {settled.Outcome.Reason}", $"{settled.Outcome.Reason} {settled.Outcome.Detail}");
                    }

                    break;
                case Client.Session.GivenUp given:
                    GivenUp++;
                    Count($"given up: {given.Reason}", given.Reason);
                    break;
                case PrivacyRefused refused:
                    Count("refused by the client's privacy requirements", refused.Reason);
                    break;
                case Retrying retrying:
                    Retries++;
                    Count($"{retrying.What} repeated: {(retrying.Problem.Status == 0 ? "no answer" : $"{retrying.Problem.Status} {retrying.Problem.Type}")}", retrying.Problem.ToString());
                    break;
            }

            if (output is not null && clock.GetElapsedTime(lastLine) >= Interval)
            {
                lastLine = clock.GetTimestamp();
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{started} of {clients} clients enrolled, {Accepted} updates accepted, {Rejected} refused, {GivenUp} given up, {Retries} requests repeated{(LastProblem.Length > 0 ? $" (last: {LastProblem})" : "")}"));
            }
        }
    }

    private void Count(string kind, string problem)
    {
        Problems[kind] = Problems.GetValueOrDefault(kind) + 1;
        LastProblem = problem.TrimEnd();
    }
}
