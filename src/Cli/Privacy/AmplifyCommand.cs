using System.CommandLine;
using Federated.Cli.Output;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy amplify</c>: what shuffling makes of a local guarantee.</summary>
internal static class AmplifyCommand
{
    public static Command Create(Terminal terminal)
    {
        var epsilon0 = Shared.Epsilon0();
        var reports = Shared.Reports();
        var delta = Shared.Delta();
        var bound = new Option<string>("--bound") { Description = $"One of {string.Join(", ", ShuffleBounds.ByName.Keys)}.", HelpName = "NAME", DefaultValueFactory = _ => "fmt23" };
        var randomizer = new Option<string>("--randomizer") { Description = "What devices apply: any, randomized-response or laplace.", HelpName = "NAME", DefaultValueFactory = _ => "any" };
        var categories = new Option<int>("--categories") { Description = "Categories of randomized-response.", HelpName = "COUNT", DefaultValueFactory = _ => 2 };
        var corrupted = new Option<long>("--corrupted") { Description = "Reports in the batch that the adversary may have made; they hide nobody.", HelpName = "COUNT", DefaultValueFactory = _ => 0 };
        var rounds = new Option<long>("--rounds") { Description = "Batches with everybody's report in each, composed.", HelpName = "COUNT", DefaultValueFactory = _ => 1 };
        var accountant = new Option<string>("--accountant") { Description = "Who composes the rounds: pld or rdp.", HelpName = "NAME", DefaultValueFactory = _ => Accountants.Pld };
        var unit = Shared.Unit("participation");
        var json = Shared.Json();
        var command = new Command("amplify", "The central guarantee of a shuffled batch of locally randomised reports.")
        {
            epsilon0, reports, delta, bound, randomizer, categories, corrupted, rounds, accountant, unit, json,
        };
        command.SetAction(parsed =>
        {
            var local = Shared.Need(parsed.GetValue(epsilon0), "--epsilon0", "the local guarantee of each report");
            var n = Shared.Need(parsed.GetValue(reports), "--n", "the number of reports in the batch");
            var at = Shared.Need(parsed.GetValue(delta), "--delta", "shuffling amplifies nothing at δ = 0");
            var theorem = ShuffleBounds.Parse(parsed.GetValue(bound)!);
            var (lost, count) = (parsed.GetValue(corrupted), parsed.GetValue(rounds));
            if (lost < 0 || count < 1)
            {
                throw new CommandException(ExitCodes.Usage, $"--corrupted must be 0 or more and --rounds 1 or more; there are {lost} and {count}.");
            }

            if (n - lost < 1)
            {
                throw new CommandException(ExitCodes.Usage, $"Shuffling needs at least one honest report; --n is {n} and --corrupted {lost}.");
            }

            var applied = Randomizer(parsed.GetValue(randomizer)!, local, parsed.GetValue(categories));
            var hidden = Shared.ParseUnit(parsed.GetValue(unit)!);
            var guarantee = count == 1
                ? ShuffleAmplification.Guarantee(theorem, hidden, applied, n - lost, at)
                : Composed(theorem, new ShuffledEvent(hidden, applied, n - lost).Repeated(count), at, parsed.GetValue(accountant)!);
            return GuaranteeReport.Write(
                terminal, parsed.GetValue(json), guarantee,
                ("bound", theorem.Name()), ("epsilon0", local), ("n", n), ("corrupted", lost), ("rounds", count));
        });
        Examples.Add(
            command,
            ("fed privacy amplify --epsilon0 1 --n 100000 --delta 1e-6 --bound fmt23 --json", "one batch, any randomiser"),
            ("fed privacy amplify --epsilon0 2 --n 10000 --delta 1e-6 --randomizer randomized-response --categories 16", "a randomiser that is known amplifies more"),
            ("fed privacy amplify --epsilon0 2 --n 10000 --delta 1e-6 --rounds 100", "a hundred rounds, composed"));
        return command;
    }

    private static PrivacyGuarantee Composed(ShuffleBound theorem, PrivacyEvent rounds, double delta, string accountant) =>
        theorem == ShuffleBound.Fmt23
            ? Accountants.ByName(accountant).GuaranteeAtDelta(rounds, delta)
            : throw new CommandException(ExitCodes.Usage, $"Rounds are composed with the bound fmt23; there is '{theorem.Name()}'.");

    private static LocalRandomizer Randomizer(string name, double epsilon0, int categories) => name switch
    {
        "any" => LocalRandomizer.Generic(epsilon0),
        "randomized-response" => LocalRandomizer.RandomizedResponse(epsilon0, categories),
        "laplace" => LocalRandomizer.Laplace(epsilon0),
        _ => throw new CommandException(ExitCodes.Usage, $"--randomizer must be any, randomized-response or laplace; there is '{name}'."),
    };
}
