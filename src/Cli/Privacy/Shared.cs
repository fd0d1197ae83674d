using System.CommandLine;

namespace Federated.Cli.Privacy;

/// <summary>Options that several verbs of <c>fed privacy</c> have.</summary>
internal static class Shared
{
    public static Option<bool> Json() => new("--json") { Description = "Print one JSON document." };

    public static Option<double?> Delta() => new("--delta") { Description = "δ: probability with which the ε bound may fail; well below one over the number of units.", HelpName = "NUMBER" };

    public static Option<double?> Epsilon(string description) => new("--epsilon") { Description = description, HelpName = "NUMBER" };

    public static Option<double?> Epsilon0() => new("--epsilon0") { Description = "ε₀ of one locally randomised report.", HelpName = "NUMBER" };

    public static Option<long?> Reports() => new("--n") { Description = "n: honest reports in the batch, or clients to draw --sample of.", HelpName = "COUNT" };

    public static Option<string> Accountant() => new("--accountant")
    {
        Description = "Who certifies: pld (tight), rdp, analytic-gaussian (exact, Gaussian without sampling).",
        HelpName = "NAME",
        DefaultValueFactory = _ => Federated.Privacy.Accounting.Accountants.Pld,
    };

    public static Option<string> Unit(string standard) => new("--unit")
    {
        Description = "Whose presence is hidden: client, example or participation.",
        HelpName = "NAME",
        DefaultValueFactory = _ => standard,
    };

    public static T Need<T>(T? value, string option, string why)
        where T : struct => value ?? throw new CommandException(ExitCodes.Usage, $"{option} is needed: {why}.");

    public static Federated.Privacy.PrivacyUnit ParseUnit(string name) => name switch
    {
        "client" => Federated.Privacy.PrivacyUnit.Client,
        "example" => Federated.Privacy.PrivacyUnit.Example,
        "participation" => Federated.Privacy.PrivacyUnit.ClientParticipation,
        _ => throw new CommandException(ExitCodes.Usage, $"--unit must be client, example or participation; there is '{name}'."),
    };
}
