using System.CommandLine;
using System.Globalization;
using Federated.Cli.Output;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy explain</c>: what an (ε, δ) says about the best possible attack, in words and odds.</summary>
/// <remarks>
/// Wasserman, Zhou, "A Statistical Framework for Differential Privacy", 2010, and Kairouz, Oh, Viswanath 2015: whatever test an adversary
/// uses to tell two neighbouring data sets apart, TPR ≤ min(e^ε·FPR + δ, 1 − e^−ε·(1 − δ − FPR)); accuracy at even odds at most
/// (e^ε + δ)/(1 + e^ε).
/// </remarks>
internal static class ExplainCommand
{
    private static readonly double[] FalseAlarms = [0.001, 0.01, 0.05, 0.1];

    public static Command Create(Terminal terminal)
    {
        var epsilon = Shared.Epsilon("ε of the guarantee.");
        var delta = new Option<double>("--delta") { Description = "δ of the guarantee.", HelpName = "NUMBER", DefaultValueFactory = _ => 0 };
        var unit = Shared.Unit("client");
        var population = new Option<long?>("--n") { Description = "Number of units, to judge δ by.", HelpName = "COUNT" };
        var json = Shared.Json();
        var command = new Command("explain", "What a guarantee means: the best that any attack can do, and what it does not promise.") { epsilon, delta, unit, population, json };
        command.SetAction(parsed =>
        {
            var e = Shared.Need(parsed.GetValue(epsilon), "--epsilon", "the guarantee to explain");
            var d = parsed.GetValue(delta);
            var n = parsed.GetValue(population);
            if (!(e >= 0 && double.IsFinite(e)) || !(d is >= 0 and < 1) || n is < 1)
            {
                throw new CommandException(
                    ExitCodes.Usage, $"--epsilon must be finite and 0 or more, --delta in [0, 1) and --n at least 1; there are ε = {e}, δ = {d}{(n is null ? "" : $", n = {n}")}.");
            }

            var words = Words(e, d, NameOf(Shared.ParseUnit(parsed.GetValue(unit)!)), n);
            if (parsed.GetValue(json))
            {
                WriteJson(terminal, e, d, words);
            }
            else
            {
                words.ForEach(terminal.Out.WriteLine);
            }

            return ExitCodes.Success;
        });
        Examples.Add(
            command,
            ("fed privacy explain --epsilon 2 --delta 1e-6", "for one client"),
            ("fed privacy explain --epsilon 8 --delta 1e-5 --n 1000 --json", "with a judgement of δ, for scripts"));
        return command;
    }

    internal static double LargestTruePositiveRate(double epsilon, double delta, double falsePositiveRate) =>
        Math.Clamp(Math.Min(Math.Exp(epsilon) * falsePositiveRate + delta, 1 - Math.Exp(-epsilon) * (1 - delta - falsePositiveRate)), 0, 1);

    internal static double LargestAccuracy(double epsilon, double delta) => Math.Min(1, (1 + delta * Math.Exp(-epsilon)) / (1 + Math.Exp(-epsilon)));

    private static List<string> Words(double epsilon, double delta, string unit, long? population)
    {
        var words = new List<string>
        {
            $"Whatever is released, and whoever looks at it with whatever else they know: nothing becomes more than {Number(Math.Exp(epsilon))} times as "
                + $"likely because one {unit} took part as it did, except with probability {Number(delta)}.",
            $"Somebody who guesses, on even odds, whether one {unit} took part is right at most {Percent(LargestAccuracy(epsilon, delta))} of the time.",
        };
        foreach (var rate in FalseAlarms)
        {
            words.Add($"An attack that wrongly accuses {Percent(rate)} of absent {unit}s recognises at most {Percent(LargestTruePositiveRate(epsilon, delta, rate))} of present ones.");
        }

        words.Add(delta == 0
            ? "There is no probability of failure beyond that."
            : population is { } n
                ? $"δ counts per {unit}: with {n} of them, a mechanism may expose {Number(delta * n)} outright on average and still meet it; that should be far below one."
                : $"δ should be far below one over the number of {unit}s: a mechanism that exposes each with probability δ still meets it.");
        words.Add($"It does not promise that nothing is learned about a {unit}: what follows from everybody's data alike is learned whether or not it takes part.");
        words.Add("It holds for the unit, the adjacency, the trusted parties and the assumptions that it was computed under, and for no others.");
        return words;
    }

    private static void WriteJson(Terminal terminal, double epsilon, double delta, List<string> words) => Reporter.WriteJson(terminal, writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("epsilon", epsilon);
        writer.WriteNumber("delta", delta);
        writer.WriteNumber("largest_accuracy", LargestAccuracy(epsilon, delta));
        writer.WriteStartArray("attacks");
        foreach (var rate in FalseAlarms)
        {
            writer.WriteStartObject();
            writer.WriteNumber("false_positive_rate", rate);
            writer.WriteNumber("largest_true_positive_rate", LargestTruePositiveRate(epsilon, delta, rate));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("words");
        words.ForEach(writer.WriteStringValue);
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static string NameOf(Federated.Privacy.PrivacyUnit unit) => unit switch
    {
        Federated.Privacy.PrivacyUnit.Client => "client",
        Federated.Privacy.PrivacyUnit.Example => "example",
        _ => "participation",
    };

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private static string Percent(double value) => (100 * value).ToString("G4", CultureInfo.InvariantCulture) + " %";
}
