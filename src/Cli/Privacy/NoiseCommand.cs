using System.CommandLine;
using Federated.Cli.Output;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy noise</c>: the least noise that reaches a target.</summary>
internal static class NoiseCommand
{
    public static Command Create(Terminal terminal)
    {
        var mechanism = new Mechanism();
        var epsilon = Shared.Epsilon("Target ε.");
        var delta = Shared.Delta();
        var accountant = Shared.Accountant();
        var levels = new Option<long?>("--levels") { Description = "Instead: noise bits of a shuffled sum whose users move it by at most this many levels.", HelpName = "COUNT" };
        var dimension = new Option<int>("--dimension") { Description = "Coordinates of the shuffled sum; then --levels is the L2 norm of a user's change.", HelpName = "COUNT", DefaultValueFactory = _ => 1 };
        var json = Shared.Json();
        var command = new Command("noise", "The least noise, or for shuffled reports the largest ε₀, that reaches a target.");
        mechanism.AddTo(command, withNoise: false);
        foreach (var option in (Option[])[epsilon, delta, accountant, levels, dimension, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
        {
            var target = Shared.Need(parsed.GetValue(epsilon), "--epsilon", "the target");
            var at = Shared.Need(parsed.GetValue(delta), "--delta", "an ε means nothing without it");
            var certifier = Accountants.ByName(parsed.GetValue(accountant)!);
            if (parsed.GetValue(levels) is { } shift)
            {
                return ShuffledSumNoise(terminal, parsed.GetValue(json), shift, parsed.GetValue(dimension), target, at);
            }

            var steps = mechanism.StepsIn(parsed);
            PrivacyEvent At(double level) => mechanism.OneStep(parsed, level).Repeated(steps);
            if (mechanism.NameIn(parsed) is "pure" or "randomized-response" or "shuffled")
            {
                // More ε₀ is less noise: search for its inverse, which behaves like a noise level.
                var inverse = Calibration.NoiseMultiplier(certifier, noise => At(1 / noise), target, at);
                return GuaranteeReport.Write(
                    terminal, parsed.GetValue(json), certifier.GuaranteeAtDelta(At(1 / inverse), at),
                    ("mechanism", mechanism.NameIn(parsed)), ("steps", steps), ("epsilon0", 1 / inverse));
            }

            var level = Calibration.NoiseMultiplier(certifier, At, target, at);
            return GuaranteeReport.Write(
                terminal, parsed.GetValue(json), certifier.GuaranteeAtDelta(At(level), at),
                ("mechanism", mechanism.NameIn(parsed)), ("steps", steps), ("noise_multiplier", level));
        });
        Examples.Add(
            command,
            ("fed privacy noise --epsilon 2 --delta 1e-6 --q 0.01 --steps 1000", "noise multiplier of DP-FedAvg"),
            ("fed privacy noise --epsilon 1 --delta 1e-6 --mechanism shuffled --n 10000 --steps 50", "ε₀ that each device may use"),
            ("fed privacy noise --epsilon 1 --delta 1e-6 --levels 32", "noise bits of a shuffled sum with 32 levels"));
        return command;
    }

    private static int ShuffledSumNoise(Terminal terminal, bool json, long shift, int dimension, double epsilon, double delta)
    {
        if (dimension < 1 || shift < 1)
        {
            throw new CommandException(ExitCodes.Usage, $"--levels and --dimension must be 1 or more; there are {shift} and {dimension}.");
        }

        var trials = dimension == 1 ? ShuffledSum.Trials(shift, epsilon, delta) : ShuffledSum.VectorTrials(dimension, shift, epsilon, delta);
        var release = new BinomialShiftEvent(Federated.Privacy.PrivacyUnit.ClientParticipation, trials, 0.5, shift);
        return GuaranteeReport.Write(
            terminal,
            json,
            new Federated.Privacy.PrivacyGuarantee
            {
                Epsilon = dimension == 1 ? ShuffledSum.Epsilon(trials, 0.5, shift, delta) : epsilon,
                Delta = delta,
                Relation = release.Relation,
                Trust = release.Trust,
                Accountant = "hockey-stick",
                Assumptions = dimension == 1
                    ? [.. release.Assumptions]
                    : [.. release.Assumptions, "No split of a user's change over the coordinates is worse than the equal ones that were summed; one per cent of noise is added for it."],
            },
            ("mechanism", "shuffled-sum"), ("noise_bits_per_coordinate", trials));
    }
}
