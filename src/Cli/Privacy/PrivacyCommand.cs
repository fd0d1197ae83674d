using System.CommandLine;
using Federated.Cli.Output;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy</c>: the privacy library for people who run no training.</summary>
internal static class PrivacyCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new Command("privacy", "Compute what a privacy guarantee costs, or buys: ε for noise, noise for ε, shuffling, budgets, audits.")
        {
            EpsilonCommand.Create(terminal),
            NoiseCommand.Create(terminal),
            AmplifyCommand.Create(terminal),
            BudgetCommand.Create(terminal),
            MatrixCommand.Create(terminal),
            AuditCommand.Create(terminal),
            ExplainCommand.Create(terminal),
            StudyCommand.Create(terminal),
        };
        Examples.Add(
            command,
            ("fed privacy epsilon --sigma 1 --q 0.01 --steps 1000 --delta 1e-5", "what 1000 rounds of sampled Gaussian noise cost"),
            ("fed privacy noise --epsilon 2 --delta 1e-6 --q 0.01 --steps 1000", "how much noise a target needs"),
            ("fed privacy explain --epsilon 2 --delta 1e-6", "what such a guarantee means"));
        return command;
    }
}
