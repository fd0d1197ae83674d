using System.CommandLine;
using Federated.Cli.Output;
using Federated.Privacy.Accounting;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy epsilon</c>: ε of a mechanism at δ, or δ at ε.</summary>
internal static class EpsilonCommand
{
    public static Command Create(Terminal terminal)
    {
        var mechanism = new Mechanism();
        var delta = Shared.Delta();
        var epsilon = Shared.Epsilon("Ask for δ at this ε instead.");
        var accountant = Shared.Accountant();
        var interval = new Option<double>("--interval") { Description = "Cells of the pld accountant, in nats; 0 chooses.", HelpName = "NUMBER", DefaultValueFactory = _ => 0 };
        var json = Shared.Json();
        var command = new Command("epsilon", "ε of a mechanism, sampled and repeated as said.");
        mechanism.AddTo(command);
        foreach (var option in (Option[])[delta, epsilon, accountant, interval, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
        {
            var steps = mechanism.StepsIn(parsed);
            var composed = mechanism.OneStep(parsed).Repeated(steps);
            var name = parsed.GetValue(accountant)!;
            var certifier = name == Accountants.Pld
                ? new PldAccountant(new PldAccountantOptions { DiscretizationInterval = parsed.GetValue(interval) })
                : Accountants.ByName(name);
            if (parsed.GetValue(delta) is not null && parsed.GetValue(epsilon) is not null)
            {
                throw new CommandException(ExitCodes.Usage, "--delta asks for ε, --epsilon asks for δ; give one of them.");
            }

            var guarantee = parsed.GetValue(epsilon) is { } at
                ? certifier.GuaranteeAtEpsilon(composed, at)
                : certifier.GuaranteeAtDelta(composed, Shared.Need(parsed.GetValue(delta), "--delta", "an ε means nothing without it"));
            return GuaranteeReport.Write(
                terminal, parsed.GetValue(json), guarantee, ("mechanism", mechanism.NameIn(parsed)), ("steps", steps));
        });
        Examples.Add(
            command,
            ("fed privacy epsilon --mechanism gaussian --sigma 1 --q 0.01 --steps 1000 --delta 1e-5 --accountant pld --json", "DP-FedAvg with Poisson sampling"),
            ("fed privacy epsilon --sigma 2 --sample 100 --n 10000 --steps 500 --delta 1e-6", "exactly 100 of 10000 clients each round"),
            ("fed privacy epsilon --mechanism shuffled --epsilon0 2 --n 10000 --steps 100 --delta 1e-6", "100 shuffled rounds"));
        return command;
    }
}
