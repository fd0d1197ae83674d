using System.CommandLine;
using Federated.Cli.Output;
using Federated.Privacy;
using Federated.Privacy.Accounting;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy budget</c>: how far a budget goes.</summary>
internal static class BudgetCommand
{
    public static Command Create(Terminal terminal)
    {
        var mechanism = new Mechanism();
        var epsilon = Shared.Epsilon("ε of the budget.");
        var delta = Shared.Delta();
        var accountant = Shared.Accountant();
        var spent = new Option<long>("--spent") { Description = "Steps already taken.", HelpName = "COUNT", DefaultValueFactory = _ => 0 };
        var json = Shared.Json();
        var command = new Command("budget", "How many steps (or, with --unit participation, participations of one client) a budget covers.");
        mechanism.AddTo(command, withSteps: false);
        foreach (var option in (Option[])[epsilon, delta, accountant, spent, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
        {
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
                terminal, parsed.GetValue(json), OfClient(certifier.GuaranteeAtDelta(step.Repeated(steps), at), steps),
                ("mechanism", mechanism.NameIn(parsed)), ("epsilon_budget", target), ("steps", steps), ("steps_left", Math.Max(0, steps - taken)),
                ("epsilon_spent", certifier.Epsilon(step.Repeated(Math.Max(0, taken)), at)));
        });
        Examples.Add(
            command,
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
