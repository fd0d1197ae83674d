using System.CommandLine;
using Federated.Cli.Output;
using Federated.Privacy.Audit;
using Federated.Privacy.Randomness;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy audit</c>: attacks the mechanisms of this library, or judges an attack that was made elsewhere.</summary>
internal static class AuditCommand
{
    public static Command Create(Terminal terminal)
    {
        var standard = new AuditOptions();
        var names = new Argument<string[]>("mechanism") { Description = "Audits to run; all when left out.", Arity = ArgumentArity.ZeroOrMore };
        var epsilon = new Option<double>("--epsilon") { Description = "ε that the local mechanisms are built for.", HelpName = "NUMBER", DefaultValueFactory = _ => standard.Epsilon };
        var samples = new Option<int>("--samples") { Description = "Runs on each of two neighbouring inputs.", HelpName = "COUNT", DefaultValueFactory = _ => standard.Samples };
        var canaries = new Option<int>("--canaries") { Description = "Canaries of a one-run audit.", HelpName = "COUNT", DefaultValueFactory = _ => standard.Canaries };
        var confidence = new Option<double>("--confidence") { Description = "Of all lower bounds together.", HelpName = "NUMBER", DefaultValueFactory = _ => standard.Confidence };
        var noiseless = new Option<bool>("--without-noise") { Description = "Take the noise away and leave the claims: every audit must then fail." };
        var seed = new Option<ulong?>("--seed") { Description = "Repeatable draws in place of cryptographic ones.", HelpName = "NUMBER" };
        var guesses = new Option<int?>("--guesses") { Description = "With --correct: judge an audit of your own, this many guesses on --canaries.", HelpName = "COUNT" };
        var correct = new Option<int?>("--correct") { Description = "Guesses that were right.", HelpName = "COUNT" };
        var delta = new Option<double>("--delta") { Description = "δ at which an audit of your own is judged.", HelpName = "NUMBER", DefaultValueFactory = _ => 1e-5 };
        var json = Shared.Json();
        var command = new Command("audit", "Lower bounds of ε from attacks: a mechanism whose bound exceeds its claim is broken.")
        {
            names, epsilon, samples, canaries, confidence, noiseless, seed, guesses, correct, delta, json,
        };
        command.SetAction(parsed =>
        {
            var options = new AuditOptions
            {
                Mechanisms = parsed.GetValue(names) ?? [], Epsilon = parsed.GetValue(epsilon), Samples = parsed.GetValue(samples),
                Canaries = parsed.GetValue(canaries), Confidence = parsed.GetValue(confidence), RemoveNoise = parsed.GetValue(noiseless),
            };
            Check(options);
            if (parsed.GetValue(guesses) is { } made || parsed.GetValue(correct) is not null)
            {
                return Judge(terminal, parsed.GetValue(json), options, parsed.GetValue(guesses), parsed.GetValue(correct), parsed.GetValue(delta));
            }

            using var simulated = parsed.GetValue(seed) is { } given ? new SimulationRandom(given) : null;
            using var cryptographic = simulated is null ? new CryptographicRandom() : null;
            IRandomSource random = simulated is null ? cryptographic! : simulated;
            var findings = MechanismAudits.Run(options, random);
            Write(terminal, parsed.GetValue(json), options, random, findings);
            var asExpected = findings.All(f => f.Passed != options.RemoveNoise);
            return asExpected ? ExitCodes.Success : ExitCodes.RunFailed;
        });
        Examples.Add(
            command,
            ("fed privacy audit", "every mechanism: exact enumeration, distinguishing attacks and one-run canaries"),
            ("fed privacy audit scalar.piecewise vector.privunitg --epsilon 2 --samples 200000", "two of them, harder"),
            ("fed privacy audit --without-noise", "the same attacks where nothing is hidden: all must succeed"),
            ("fed privacy audit --canaries 1000 --guesses 1000 --correct 700 --delta 1e-5", "what an audit of your own proves"));
        return command;
    }

    private static void Check(AuditOptions options)
    {
        if (!(options.Epsilon is >= 0.01 and <= 10) || options.Samples < 100 || options.Canaries < 10 || !(options.Confidence is > 0 and < 1))
        {
            throw new CommandException(
                ExitCodes.Usage,
                $"An audit needs --epsilon between 0.01 and 10, --samples of 100 or more, --canaries of 10 or more and --confidence inside (0, 1); "
                + $"there are {options.Epsilon}, {options.Samples}, {options.Canaries} and {options.Confidence}.");
        }
    }

    private static int Judge(Terminal terminal, bool json, AuditOptions options, int? guesses, int? correct, double delta)
    {
        var made = Shared.Need(guesses, "--guesses", "the number of canaries that the attack did not abstain from");
        var right = Shared.Need(correct, "--correct", "the number of right guesses");
        var bound = OneRunBound.EpsilonLowerBound(options.Canaries, made, right, delta, 1 - options.Confidence);
        if (json)
        {
            Reporter.WriteJson(terminal, writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("epsilon_lower_bound", bound);
                writer.WriteNumber("delta", delta);
                writer.WriteNumber("confidence", options.Confidence);
                writer.WriteNumber("canaries", options.Canaries);
                writer.WriteNumber("guesses", made);
                writer.WriteNumber("correct", right);
                writer.WriteEndObject();
            });
        }
        else
        {
            terminal.Out.WriteLine($"ε ≥ {bound:G6} at δ = {delta:G4}, with {options.Confidence:P0} confidence: {right} of {made} guesses right on {options.Canaries} canaries.");
            terminal.Out.WriteLine("A lower bound refutes a smaller claim; it never supports one.");
        }

        return ExitCodes.Success;
    }

    private static void Write(Terminal terminal, bool json, AuditOptions options, IRandomSource random, IReadOnlyList<AuditFinding> findings)
    {
        if (!json)
        {
            PlainTable.Write(
                terminal.Out,
                ["mechanism", "method", "verdict", "claimed ε", "ε at least", "δ", "samples"],
                [.. findings.Select(f => (IReadOnlyList<string>)
                [
                    f.Mechanism, f.Method, f.Passed ? "passed" : "BROKEN", f.ClaimedEpsilon.ToString("G5"), f.EpsilonLowerBound.ToString("G5"),
                    f.Delta.ToString("G3"), f.Samples.ToString("N0"),
                ])],
                words: 3);
            terminal.Out.WriteLine();
            terminal.Out.WriteLine(
                options.RemoveNoise
                    ? $"Without noise {findings.Count(f => !f.Passed)} of {findings.Count} claims were refuted; all should be."
                    : $"{findings.Count(f => f.Passed)} of {findings.Count} claims stand. Bounds hold together with {options.Confidence:P0} confidence; they refute claims and never support them.");
            return;
        }

        Reporter.WriteJson(terminal, writer =>
        {
            writer.WriteStartObject();
            writer.WriteBoolean("passed", findings.All(f => f.Passed));
            writer.WriteNumber("confidence", options.Confidence);
            writer.WriteBoolean("noise_removed", options.RemoveNoise);
            writer.WriteString("randomness", random.Description);
            writer.WriteStartArray("findings");
            foreach (var finding in findings)
            {
                writer.WriteStartObject();
                writer.WriteString("mechanism", finding.Mechanism);
                writer.WriteString("method", finding.Method);
                writer.WriteNumber("epsilon_claimed", finding.ClaimedEpsilon);
                writer.WriteNumber("delta", finding.Delta);
                writer.WriteNumber("epsilon_lower_bound", finding.EpsilonLowerBound);
                writer.WriteNumber("confidence", finding.Confidence);
                writer.WriteNumber("samples", finding.Samples);
                writer.WriteBoolean("passed", finding.Passed);
                writer.WriteString("detail", finding.Detail);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }
}
