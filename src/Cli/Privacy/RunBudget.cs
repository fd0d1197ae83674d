using System.Globalization;
using System.Text.Json;
using Federated.Cli.Output;
using Federated.Cli.Serving;
using Federated.Privacy;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;
using Federated.Simulation.Results;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy budget</c> of a run: what it has spent, what is left, which clients are nearest their cap.</summary>
internal static class RunBudget
{
    private const int MostClients = 10;

    /// <summary>A run of a coordinator.</summary>
    public static async Task<int> OfRunAsync(Terminal terminal, CoordinatorApi api, string run, bool json, CancellationToken cancellation)
    {
        var privacy = await api.GetAsync($"/v1/runs/{Uri.EscapeDataString(run)}/privacy", WireJson.Default.RunPrivacyMessage, cancellation).ConfigureAwait(false);
        if (json)
        {
            Reporter.WriteJson(terminal, writer => JsonSerializer.Serialize(writer, privacy, WireJson.Default.RunPrivacyMessage));
            return ExitCodes.Success;
        }

        var statement = privacy.Statement.ToStatement();
        Head(terminal.Out, $"{privacy.Run}, version {privacy.Version.ToString("N0", CultureInfo.InvariantCulture)}", statement, privacy.Clients.Count > 0 ? privacy.Clients[0].Participations : 0);
        if (privacy.Lifetime is { } lifetime)
        {
            terminal.Out.WriteLine($"  lifetime   ε = {Figures.Up(lifetime.Epsilon)} at δ = {Figures.Up(lifetime.Delta)} for all runs of this coordinator that one client is in");
        }

        if (privacy.Clients.Count > 0)
        {
            terminal.Out.WriteLine();
            terminal.Out.WriteLine($"{privacy.ClientsCharged.ToString("N0", CultureInfo.InvariantCulture)} clients have been charged; nearest their cap:");
            PlainTable.Write(
                terminal.Out,
                ["client", "id", "participations", "left", "ε", .. privacy.Lifetime is null ? Array.Empty<string>() : ["ε in all runs"]],
                [
                    .. privacy.Clients.Take(MostClients).Select(c => (IReadOnlyList<string>)[
                        c.Name, c.Client, Number(c.Participations), Left(statement, c.Participations), c.Epsilon is { } e ? Figures.Up(e) : "∞",
                        .. privacy.Lifetime is null ? Array.Empty<string>() : [c.LifetimeEpsilon is { } all ? Figures.Up(all) : ""]]),
                ]);
        }

        return End(terminal, statement);
    }

    /// <summary>A results folder.</summary>
    public static int OfFolder(Terminal terminal, string folder, bool json)
    {
        if (!RecordedRun.TryRead(folder, out var recorded, out var problem))
        {
            throw new CommandException(ExitCodes.Data, problem);
        }

        if (recorded.Summary is not { } summary)
        {
            throw new CommandException(ExitCodes.Data, $"{folder} has no summary.json: the run has not ended, or was killed. Its ε so far stands in metrics.csv.");
        }

        var statement = summary.Privacy?.Statement ?? PrivacyStatement.None(StatementSetting.Simulation);
        if (json)
        {
            Reporter.WriteJson(terminal, writer => JsonSerializer.Serialize(
                writer, new RunPrivacyMessage(summary.Run, summary.Versions, StatementMessage.Of(statement)) { Course = CourseOf(recorded) }, WireJson.Default.RunPrivacyMessage));
            return ExitCodes.Success;
        }

        var counts = Accepted(folder);
        Head(terminal.Out, $"{summary.Run}, version {Number(summary.Versions)}", statement, counts.Count > 0 ? counts[0].Count : 0);
        if (counts.Count > 0 && statement.Terms.Limits.Cap > 0)
        {
            terminal.Out.WriteLine();
            terminal.Out.WriteLine("Clients nearest their cap, by accepted updates:");
            PlainTable.Write(
                terminal.Out, ["client", "updates", "left"],
                [.. counts.Take(MostClients).Select(c => (IReadOnlyList<string>)[Number(c.Client), Number(c.Count), Left(statement, c.Count)])], words: 1);
        }

        return End(terminal, statement);
    }

    private static void Head(TextWriter output, string run, PrivacyStatement statement, int most)
    {
        var (terms, limits) = (statement.Terms, statement.Terms.Limits);
        output.WriteLine(run);
        output.WriteLine($"  policy     {statement.Policy}{(terms.Mechanism.Length > 0 ? $" ({terms.Mechanism})" : "")}{(terms.Relation is { } relation ? $", {relation}" : "")}");
        if (terms.Relation is null)
        {
            return;
        }

        var inherited = statement.Inherited;
        output.WriteLine($"  {(inherited is null ? "spent     " : "own spent ")} {(statement.Spent is { } spent ? Words(spent) : "nothing")}");
        output.WriteLine($"  {(inherited is null ? "at most   " : "own most  ")} {(statement.Planned is { } planned ? Words(planned) : "nothing bounds it in advance")}");
        if (inherited is not null)
        {
            output.WriteLine($"  inherited  {(inherited.Basis == InheritanceBasis.Nothing ? "nothing" : inherited is { IsBounded: true, Guarantee: { } before } ? Words(before) : "nothing bounds it")}, from version {Number(inherited.Version)} of {inherited.Run}");
            output.WriteLine($"  in all     {(statement.TotalSpent is { } all ? Words(all) : inherited.IsBounded && statement.Spent is null ? "nothing" : "nothing bounds it")}, at most {(statement.TotalPlanned is { } bounded ? Words(bounded) : "nothing bounds it")}");
        }

        if (terms.EpsilonBudget > 0)
        {
            output.WriteLine($"  budget     ε = {Figures.Up(terms.EpsilonBudget)} at δ = {Figures.Up(terms.Delta)}{(inherited is null ? "" : ", which covers what was inherited too")}");
        }

        if (statement.Planned is { } bound)
        {
            output.WriteLine($"  remaining  ε = {Figures.Down(Math.Max(0, bound.Epsilon - (statement.Spent?.Epsilon ?? 0)))} to the bound{(limits.Cap > 0 ? $"; {Left(statement, most)} of {limits.Cap} participations for the client that took part most" : "")}");
        }

        if (terms.WithoutShuffling is { } left)
        {
            output.WriteLine($"  without the shuffling  {Words(left)}; ε₀ = {Figures.Up(terms.ReportEpsilon)} a report");
        }
    }

    private static int End(Terminal terminal, PrivacyStatement statement)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(statement.Text);
        return ExitCodes.Success;
    }

    private static SpendingPoint[] CourseOf(RecordedRun run) => [.. run.Metrics.Where(row => double.IsFinite(row.Epsilon)).Select(row => new SpendingPoint(row.Version, row.Epsilon))];

    private static List<(int Client, int Count)> Accepted(string folder)
    {
        var file = Path.Combine(folder, UpdatesFile.Name);
        return !File.Exists(file) ? [] :
        [
            .. UpdatesFile.Read(file).Where(row => row.Outcome == UpdateOutcome.Accepted).GroupBy(row => row.Client)
                .Select(group => (group.Key, group.Count())).OrderByDescending(pair => pair.Item2).ThenBy(pair => pair.Key),
        ];
    }

    private static string Left(PrivacyStatement statement, int taken) => statement.Terms.Limits.Cap is > 0 and var cap ? Number(Math.Max(0, cap - taken)) : "no cap";

    private static string Words(PrivacyGuarantee guarantee) => $"ε = {Figures.Up(guarantee.Epsilon)} at δ = {Figures.Up(guarantee.Delta)}, by {guarantee.Accountant}";

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
