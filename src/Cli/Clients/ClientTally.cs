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
                    LastProblem = settled.Outcome.Accepted ? LastProblem : $"{settled.Outcome.Reason} {settled.Outcome.Detail}".TrimEnd();
                    break;
                case Client.Session.GivenUp given:
                    GivenUp++;
                    LastProblem = given.Reason;
                    break;
                case Retrying retrying:
                    Retries++;
                    LastProblem = retrying.Problem.ToString();
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
}
