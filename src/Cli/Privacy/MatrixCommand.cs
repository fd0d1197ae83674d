using System.CommandLine;
using Federated.Cli.Output;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Central.Factorizations;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy matrix</c>: what correlated noise (DP-FTRL) costs and how far it blurs, without a training run.</summary>
internal static class MatrixCommand
{
    public static Command Create(Terminal terminal)
    {
        var factorization = new Option<string>("--factorization") { Description = $"One of {string.Join(", ", FactorizationNames.All)}.", HelpName = "NAME", DefaultValueFactory = _ => FactorizationNames.BufferedLinear };
        var steps = new Option<int?>("--steps") { Description = "n, releases of the run.", HelpName = "COUNT" };
        var participations = new Option<int>("--participations") { Description = "k: the most often that one client contributes.", HelpName = "COUNT", DefaultValueFactory = _ => 1 };
        var separation = new Option<int>("--separation") { Description = "b: least number of steps between two contributions of a client.", HelpName = "COUNT", DefaultValueFactory = _ => 1 };
        var bands = new Option<int>("--bands") { Description = "Diagonals of the banded ones; 0 takes the separation.", HelpName = "COUNT", DefaultValueFactory = _ => 0 };
        var buffers = new Option<int>("--buffers") { Description = "Buffers of blt.", HelpName = "COUNT", DefaultValueFactory = _ => 4 };
        var sigma = new Option<double?>("--sigma") { Description = "Noise of the whole run over its sensitivity; or give --epsilon.", HelpName = "NUMBER" };
        var epsilon = Shared.Epsilon("Target ε, in place of --sigma.");
        var delta = Shared.Delta();
        var probability = new Option<double?>("--q") { Description = "Claim that every client is in every step by an independent secret coin of this probability, by mmcc; up to 64 steps, no --participations.", HelpName = "NUMBER" };
        var json = Shared.Json();
        var command = new Command("matrix", "The guarantee and the error of correlated noise (DP-FTRL): trees, Toeplitz and banded factorisations.")
        {
            factorization, steps, participations, separation, bands, buffers, sigma, epsilon, delta, probability, json,
        };
        command.SetAction(parsed =>
        {
            var count = Shared.Need(parsed.GetValue(steps), "--steps", "the number of releases");
            var at = Shared.Need(parsed.GetValue(delta), "--delta", "an ε means nothing without it");
            var (given, target, separated) = (parsed.GetValue(sigma), parsed.GetValue(epsilon), parsed.GetValue(separation));
            if (given is null == target is null)
            {
                throw new CommandException(ExitCodes.Usage, "Give one of --sigma and --epsilon: noise for a guarantee, or a guarantee for noise.");
            }

            if (count < 1)
            {
                throw new CommandException(ExitCodes.Usage, $"--steps must be 1 or more; there is {count}.");
            }

            var chosen = FactorizationNames.Create(
                parsed.GetValue(factorization)!, count, parsed.GetValue(bands) > 0 ? parsed.GetValue(bands) : separated, parsed.GetValue(buffers));
            var taken = new Participation(parsed.GetValue(participations), separated);
            var multiplier = given ?? AnalyticGaussian.NoiseMultiplier(target!.Value, at);
            var once = parsed.GetValue(probability) is null ? chosen.Sensitivity(taken) : chosen.Sensitivity(Participation.Once);
            var guarantee = parsed.GetValue(probability) is { } q
                ? Amplified(chosen, taken, q, multiplier * once, at, target)
                : Unamplified(chosen, taken, multiplier, at);

            // Of a prefix sum, over the clipping bound; and without a sampling claim that of independent noise with the same guarantee.
            var error = multiplier * once * Math.Sqrt(chosen.ErrorVariances().Average());
            var plain = ToeplitzFactorization.Identity(count);
            var independent = multiplier * plain.Sensitivity(taken) * Math.Sqrt(plain.ErrorVariances().Average());
            return GuaranteeReport.Write(
                terminal, parsed.GetValue(json), guarantee,
                [
                    ("factorization", chosen.Name), ("steps", (long)count), ("participations", (long)taken.Within(count)), ("separation", (long)separated),
                    ("noise_multiplier", multiplier), ("sensitivity", once), ("rms_error_over_clip", error),
                    .. parsed.GetValue(probability) is null ? [("rms_error_of_independent_noise", independent)] : Array.Empty<(string, object)>(),
                ]);
        });
        Examples.Add(
            command,
            ("fed privacy matrix --steps 1000 --sigma 4 --delta 1e-6", "buffered noise, every client once"),
            ("fed privacy matrix --factorization banded --steps 1000 --participations 10 --separation 100 --epsilon 2 --delta 1e-6", "clients that return after 100 steps or more"),
            ("fed privacy matrix --factorization banded-sqrt --bands 4 --steps 32 --sigma 4 --delta 1e-6 --q 0.02", "sampled by coins, for experts"));
        return command;
    }

    private static PrivacyGuarantee Unamplified(IFactorization factorization, Participation participation, double multiplier, double delta)
    {
        var release = new AnalyticGaussianAccountant().GuaranteeAtDelta(new GaussianEvent(new NeighbourRelation(PrivacyUnit.Client, Adjacency.ZeroOut), multiplier), delta);
        return release with
        {
            Assumptions =
            [
                .. release.Assumptions,
                participation.Within(factorization.Steps) == 1
                    ? "No client contributes more than once, which the scheduler enforces."
                    : $"No client contributes more than {participation.Within(factorization.Steps)} times, nor twice within {participation.Separation} steps, which the scheduler enforces.",
            ],
        };
    }

    private static PrivacyGuarantee Amplified(
        IFactorization factorization, Participation participation, double probability, double deviation, double delta, double? target)
    {
        if (target is not null || participation.Count > 1 || factorization is not ToeplitzFactorization toeplitz || factorization.Steps > 64)
        {
            throw new CommandException(
                ExitCodes.Usage, "--q needs --sigma, one of the Toeplitz factorisations (identity, sqrt-toeplitz, banded-sqrt, banded), at most 64 steps and no --participations.");
        }

        var c = toeplitz.Coefficients;
        double[][] rows = [.. Enumerable.Range(0, factorization.Steps).Select(i => Enumerable.Range(0, i + 1).Select(j => i - j < c.Length ? c[i - j] : 0).ToArray())];
        return MatrixMechanismAmplification.Guarantee(rows, probability, deviation, NeighbourRelation.AddRemoveClient, delta);
    }
}
