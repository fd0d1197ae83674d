using System.CommandLine;
using Federated.Cli.Output;
using Federated.Cli.Serving;
using Federated.Privacy;
using Federated.Privacy.Accounting;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy budget</c>: how far a budget goes, and how a run's stands.</summary>
internal static class BudgetCommand
{
    public static Command Create(Terminal terminal)
    {
        var mechanism = new Mechanism();
        var epsilon = Shared.Epsilon("ε of the budget.");
        var delta = Shared.Delta();
        var accountant = Shared.Accountant();
        var spent = new Option<long>("--spent") { Description = "Steps already taken.", HelpName = "COUNT", DefaultValueFactory = _ => 0 };
        var folder = new Argument<string?>("DIR") { Description = "A results folder: what that run has spent.", Arity = ArgumentArity.ZeroOrOne };
        var run = new Option<string?>("--run") { Description = "A coordinator's run: what it has spent, what is left, which clients are nearest their cap.", HelpName = "RUN" };
        var connection = new ConnectionOptions();
        var command = new Command("budget", "What a run has spent and has left (--run, or DIR); else how many steps (or, with --unit participation, participations of one client) a budget covers.");
        mechanism.AddTo(command, withSteps: false);
        command.Arguments.Add(folder);
        foreach (var option in (Option[])[epsilon, delta, accountant, spent, run])
        {
            command.Options.Add(option);
        }

        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(run) is { } hosted)
            {
                using var api = connection.Open(parsed);
                return await RunBudget.OfRunAsync(terminal, api, hosted, connection.IsJson(parsed), cancellation).ConfigureAwait(false);
            }

            if (parsed.GetValue(folder) is { } results)
            {
                return RunBudget.OfFolder(terminal, results, connection.IsJson(parsed));
            }

            var target = Shared.Need(parsed.GetValue(epsilon), "--epsilon", "the budget");
            var at = Shared.Need(parsed.GetValue(delta), "--delta", "an ε means nothing without it");
            var taken = parsed.GetValue(spent);
            if (taken < 0)
            {
                throw new CommandException(ExitCodes.Usage, $"--spent must be 0 or more; there is {taken}.");
            }

            var step = mechanism.OneStep(parsed);
            var certifier = Accountants.ByName(parsed.GetValue(accountant)!);
            var steps = Calibration.Steps(certifier, step, target, at);
            if (steps == 0)
            {
                throw new CommandException(
                    ExitCodes.Usage,
                    $"The budget does not cover a single step, which costs ε = {certifier.Epsilon(step, at):G6} at δ = {at}: use more noise or a larger budget.");
            }

            return GuaranteeReport.Write(
                terminal, connection.IsJson(parsed), OfClient(certifier.GuaranteeAtDelta(step.Repeated(steps), at), steps),
                ("mechanism", mechanism.NameIn(parsed)), ("epsilon_budget", target), ("steps", steps), ("steps_left", Math.Max(0, steps - taken)),
                ("epsilon_spent", certifier.Epsilon(step.Repeated(Math.Max(0, taken)), at)));
        });
        Examples.Add(
            command,
            ("fed privacy budget --run mnist", "what a coordinator's run has spent, and who is nearest the cap"),
            ("fed privacy budget results/mnist", "the same of a run that was simulated"),
            ("fed privacy budget --epsilon 2 --delta 1e-6 --sigma 1 --q 0.01", "rounds until ε = 2"),
            ("fed privacy budget --epsilon 2 --delta 1e-6 --sigma 8 --accountant analytic-gaussian --unit participation --adjacency zero-out", "participations of one client, no sampling claimed"),
            ("fed privacy budget --epsilon 2 --delta 1e-6 --sigma 1 --q 0.01 --spent 500", "what is left after 500"));
        return command;
    }

    /// <summary>Participations composed are a guarantee for the client that took part in them, if it takes part no more often.</summary>
    private static PrivacyGuarantee OfClient(PrivacyGuarantee guarantee, long steps) =>
        guarantee.Relation.Unit != PrivacyUnit.ClientParticipation ? guarantee : guarantee with
        {
            Relation = guarantee.Relation with { Unit = PrivacyUnit.Client },
            Assumptions = [.. guarantee.Assumptions, $"No client takes part more than {steps} times, which the coordinator enforces."],
        };
}
