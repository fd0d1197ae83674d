using System.Text.Json;
using Federated.Cli.Output;
using Federated.Privacy;

namespace Federated.Cli.Privacy;

/// <summary>Prints a guarantee, never its ε alone.</summary>
internal static class GuaranteeReport
{
    /// <summary>Writes the guarantee and what was asked or found beside it.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="json">Whether as one JSON document.</param>
    /// <param name="guarantee">What was certified.</param>
    /// <param name="facts">Further numbers and names, in order; JSON names in snake case.</param>
    public static int Write(Terminal terminal, bool json, PrivacyGuarantee guarantee, params IReadOnlyList<(string Name, object Value)> facts)
    {
        if (!double.IsFinite(guarantee.Epsilon))
        {
            throw new CommandException(
                ExitCodes.Usage,
                $"No finite ε is certified at δ = {guarantee.Delta}: the mechanism fails with a larger probability. Use a larger δ or more noise.");
        }

        if (json)
        {
            Reporter.WriteJson(terminal, writer => Json(writer, guarantee, facts));
            return ExitCodes.Success;
        }

        var output = terminal.Out;
        foreach (var (name, value) in facts)
        {
            output.WriteLine($"{name.Replace('_', ' ')}: {Show(value)}");
        }

        output.WriteLine($"ε = {guarantee.Epsilon:G8} at δ = {guarantee.Delta:G6}");
        output.WriteLine($"hides: {guarantee.Relation}");
        output.WriteLine($"accountant: {guarantee.Accountant}");
        output.WriteLine($"trusted: {Trusted(guarantee.Trust)}");
        output.WriteLine("holds if:");
        foreach (var assumption in guarantee.Assumptions)
        {
            output.WriteLine($"  - {assumption}");
        }

        return ExitCodes.Success;
    }

    public static string Trusted(TrustModel trust) => trust switch
    {
        TrustModel.Central => "the server, which sees every client's update before it adds noise",
        TrustModel.Silo => "one's own silo, which sees its users' data before it adds noise; nobody beyond it",
        TrustModel.Distributed => "that enough clients are honest; the server sees only their noisy sum",
        TrustModel.Shuffle => "the shuffler, to permute and not to collude with the analyser",
        _ => "nobody but one's own device",
    };

    private static string Show(object value) => value is double number ? number.ToString("G8", System.Globalization.CultureInfo.InvariantCulture) : value.ToString()!;

    private static void Json(Utf8JsonWriter writer, PrivacyGuarantee guarantee, IReadOnlyList<(string Name, object Value)> facts)
    {
        writer.WriteStartObject();
        writer.WriteNumber("epsilon", guarantee.Epsilon);
        writer.WriteNumber("delta", guarantee.Delta);
        writer.WriteString("accountant", guarantee.Accountant);
        writer.WriteString("adjacency", NameOf(guarantee.Relation.Adjacency));
        writer.WriteString("unit", NameOf(guarantee.Relation.Unit));
        writer.WriteString("trust", guarantee.Trust.ToString().ToLowerInvariant());
        foreach (var (name, value) in facts)
        {
            writer.WritePropertyName(name);
            switch (value)
            {
                case double number:
                    writer.WriteNumberValue(number);
                    break;
                case long number:
                    writer.WriteNumberValue(number);
                    break;
                default:
                    writer.WriteStringValue(value.ToString());
                    break;
            }
        }

        writer.WriteStartArray("assumptions");
        foreach (var assumption in guarantee.Assumptions)
        {
            writer.WriteStringValue(assumption);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static string NameOf(Adjacency adjacency) => adjacency switch
    {
        Adjacency.AddRemove => "add-remove",
        Adjacency.ReplaceOne => "replace-one",
        _ => "zero-out",
    };

    private static string NameOf(PrivacyUnit unit) => unit switch
    {
        PrivacyUnit.Client => "client",
        PrivacyUnit.Example => "example",
        _ => "participation",
    };
}
