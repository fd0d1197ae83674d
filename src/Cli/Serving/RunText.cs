using System.Globalization;
using Federated.Cli.Output;
using Federated.Protocol.Wire;

namespace Federated.Cli.Serving;

/// <summary>A run as text.</summary>
internal static class RunText
{
    private const int LastEvaluations = 8, MostClients = 20, CurveWidth = 60;

    public static void Write(TextWriter output, RunDetailMessage run)
    {
        var s = run.Summary;
        output.WriteLine($"{s.Run}  {s.State}{(s.Detail.Length > 0 ? $": {s.Detail}" : "")}");
        output.WriteLine($"  strategy   {s.Strategy}");
        output.WriteLine($"  created    {s.CreatedAt}{(run.BranchedFrom is { } from ? $", branched from {from}" : "")}");
        output.WriteLine($"  version    {Number(s.Version)} after {TimeSpan.FromSeconds(Math.Round(s.Seconds)):c}");
        output.WriteLine(
            s.ExpectedClients > s.Clients
                ? $"  clients    {Number(s.LobbyClients)} of {Number(s.ExpectedClients)} are there; the run begins when all are"
                : $"  clients    {Number(s.Clients)} joined, {Number(s.WaitingClients)} wait, {Number(s.InFlight)} work");
        output.WriteLine($"  updates    {Number(s.Accepted)} accepted, {Number(s.Rejected)} rejected, {Number(s.Lost)} lost of {Number(s.Dispatched)}");
        if (s.BestAccuracy is { } best)
        {
            output.WriteLine($"  accuracy   {Share(s.Accuracy)} now, best {Share(best)} at version {Number(s.BestVersion ?? 0)}");
        }

        output.WriteLine($"  models     {string.Join(", ", run.Versions.Select(v => Number(v.Version)))}");
        WriteEvaluations(output, run);
        WriteScores(output, run.ClientScores);
        WriteAnalysis(output, run.Analysis);
        if (run.Clients.Count > 0)
        {
            output.WriteLine();
            PlainTable.Write(
                output, ["client", "id", "number", "examples", "assignments", "accepted"],
                [.. run.Clients.Take(MostClients).Select(c => (IReadOnlyList<string>)[c.Name, c.Client, Number(c.Number), Number((long)c.Examples), Number(c.Dispatched), Number(c.Accepted)])]);
            if (run.Clients.Count > MostClients)
            {
                output.WriteLine($"… and {Number(run.Clients.Count - MostClients)} more");
            }
        }

        if (run.Privacy.Length > 0)
        {
            output.WriteLine();
            output.WriteLine($"Privacy: {run.Privacy}");
        }
    }

    private static void WriteEvaluations(TextWriter output, RunDetailMessage run)
    {
        if (run.Evaluations.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine(Sparkline.Of([.. run.Evaluations.Select(e => e.Accuracy)], CurveWidth));
        var last = run.Evaluations.TakeLast(LastEvaluations).ToList();
        var byClients = last.Exists(e => e.Spread is not null);
        PlainTable.Write(
            output,
            [.. (string[])["version", "seconds", "accuracy", "loss", "updates"], .. byClients ? (string[])["clients", "lowest", "median", "highest"] : []],
            [
                .. last.Select(e => (IReadOnlyList<string>)
                [
                    Number(e.Version), e.Seconds.ToString("F1", CultureInfo.InvariantCulture), Share(e.Accuracy), Share(e.Loss), Number(e.ClientUpdates),
                    .. !byClients ? [] : e.Spread is { } s ? (string[])[Number(s.Clients), Share(s.Minimum), Share(s.Median), Share(s.Maximum)] : ["", "", "", ""],
                ]),
            ],
            words: 0);
    }

    private static void WriteAnalysis(TextWriter output, AnalysisMessage? found)
    {
        if (found is null)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{found.Kind} of '{found.Question}' from {found.Reports:N0} reports{(found.Malformed > 0 ? $", {found.Malformed:N0} malformed" : "")}"));
        PlainTable.Write(
            output, ["", "estimate", "low", "high"],
            [.. found.Estimates.Select(e => (IReadOnlyList<string>)[e.Name, Figure(e.Value), Figure(e.Low), Figure(e.High)])]);
        output.WriteLine(string.Join(' ', [string.Create(CultureInfo.InvariantCulture, $"Intervals of {found.Confidence:P0}, each on its own."), .. found.Notes]));
    }

    private static string Figure(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    private static void WriteScores(TextWriter output, ClientScoresMessage? scores)
    {
        if (scores is not null)
        {
            output.WriteLine();
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"On their own data, {scores.Clients} clients score version {scores.Version} at {scores.Mean:F4} ± {scores.Deviation:F4}: lowest {scores.Minimum:F4}, lower decile {scores.LowerDecile:F4}, median {scores.Median:F4}, upper decile {scores.UpperDecile:F4}, highest {scores.Maximum:F4}"));
        }
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Share(double? share) => share?.ToString("F4", CultureInfo.InvariantCulture) ?? "";
}
