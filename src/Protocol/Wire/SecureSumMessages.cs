using System.Text.Json.Serialization;
using Federated.Aggregation.ExampleWeights;
using Federated.Privacy.Pipeline;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sessions;

namespace Federated.Protocol.Wire;

/// <summary>With the privacy step <see cref="ProtectionMessage.SecureSum"/>: how updates become words, and what sessions are like. A client judges it before it takes part.</summary>
/// <param name="Bits">b: words are modulo 2^b.</param>
/// <param name="Scale">s, grid steps in one unit; 0 for ⌊(2^(b−1) − 1)/most⌋/C.</param>
/// <param name="LocalDeviation">σ_l, the noise that each member adds; 0 for none, and then a word with the weight follows the coordinates.</param>
/// <param name="Minimum">The fewest members of a sum that is opened.</param>
/// <param name="Most">The most.</param>
/// <param name="Corrupted">γ.</param>
/// <param name="Dropout">δ.</param>
/// <param name="Server"><c>semi-honest</c> or <c>semi-malicious</c>.</param>
/// <param name="Weight">ω(n), by its name.</param>
/// <param name="LargestExamples">n at which ω is largest; 0 under equal weights.</param>
public sealed record SecureSumMessage(
    int Bits, double Scale, double LocalDeviation, int Minimum, int Most, double Corrupted, double Dropout, string Server, string Weight, double LargestExamples)
{
    private const string SemiHonest = "semi-honest", SemiMalicious = "semi-malicious";

    public static SecureSumMessage Of(SecureSumPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new SecureSumMessage(
            plan.Options.Bits, plan.Scale, plan.LocalDeviation, plan.Minimum, plan.Most, plan.Options.Corrupted, plan.Options.Dropout,
            plan.Options.Server == AggregationServer.SemiHonest ? SemiHonest : SemiMalicious, plan.Weight.Name, plan.LargestExamples);
    }

    /// <summary>The plan, on the client's side.</summary>
    /// <param name="clipNorm">C.</param>
    /// <param name="dimension">d, of the model that came.</param>
    /// <exception cref="System.Text.Json.JsonException">It names what this build does not know.</exception>
    public SecureSumPlan ToPlan(double clipNorm, int dimension) => new()
    {
        Options = new SecureSumOptions
        {
            ClipNorm = clipNorm,
            Bits = Bits,
            Corrupted = Corrupted,
            Dropout = Dropout,
            Server = Server switch
            {
                SemiHonest => AggregationServer.SemiHonest,
                SemiMalicious => AggregationServer.SemiMalicious,
                _ => throw new System.Text.Json.JsonException($"'{Server}' is no kind of server."),
            },
        },
        Minimum = Minimum,
        Most = Most,
        Dimension = dimension,
        Scale = Scale,
        LocalDeviation = LocalDeviation,
        LargestExamples = LargestExamples,
        IsSynchronous = false,
        Weight = Weight switch
        {
            ExampleWeightNames.Equal => new EqualExampleWeight(),
            ExampleWeightNames.Examples => new LinearExampleWeight(),
            ExampleWeightNames.SquareRoot => new SquareRootExampleWeight(),
            ExampleWeightNames.Logarithm => new LogarithmicExampleWeight(),
            _ => throw new System.Text.Json.JsonException($"'{Weight}' is no weight by examples."),
        },
    };
}

/// <summary>Body of step <c>signature</c>.</summary>
public sealed record SurvivorsSignature(byte[] Signature);

/// <summary>How a member's session stands: reply to <c>GET …/assignments/{id}/secure-sum</c>.</summary>
/// <param name="Phase"><c>none</c>, <c>advertise</c>, <c>share-keys</c>, <c>masked-input</c>, <c>consistency</c>, <c>unmask</c>, <c>done</c> or <c>aborted</c>.</param>
/// <param name="Member">The id that this client has among the members.</param>
public sealed record SecureSumState(string Phase, string Member)
{
    /// <summary>For people: what is waited for, or why the session failed.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Until the phase ends.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>In <c>share-keys</c>.</summary>
    public Roster? Roster { get; init; }

    /// <summary>In <c>masked-input</c>.</summary>
    public ShareDelivery? Delivery { get; init; }

    /// <summary>In <c>consistency</c>: U2.</summary>
    public IReadOnlyList<int>? Survivors { get; init; }

    /// <summary>In <c>unmask</c>.</summary>
    public UnmaskRequest? Unmask { get; init; }

    /// <summary>In <c>done</c>: what became of this member's update.</summary>
    public UpdateOutcomeMessage? Outcome { get; init; }

    [JsonIgnore]
    public SessionPhase? Known => Array.IndexOf(Names, Phase) is >= 0 and var i ? (SessionPhase)i : null;

    public static string NameOf(SessionPhase phase) => Names[(int)phase];

    private static readonly string[] Names = ["advertise", "share-keys", "masked-input", "consistency", "unmask", "done", "aborted"];
}

/// <summary>The steps that a member takes, as they stand in addresses.</summary>
public static class SecureSumSteps
{
    public const string Keys = "keys", Shares = "shares", Input = "input", Signature = "signature", Unmask = "unmask";

    /// <summary>Of step <c>input</c>: the masked words, packed; the other steps are JSON.</summary>
    public const string InputType = "application/vnd.federated.masked-words";
}

/// <summary>A session for people: who came, who dropped out when, and by how much it was above what it needs.</summary>
/// <param name="Started">Seconds on the run's clock.</param>
/// <param name="Members">Who made themselves known.</param>
/// <param name="Sharers">Of these, who shared keys.</param>
/// <param name="Survivors">Of these, who delivered.</param>
/// <param name="Unmasked">Of these, who answered when the sum was opened.</param>
/// <param name="Minimum">Fewest survivors that are opened.</param>
/// <param name="Threshold">t, shares that a secret needs.</param>
/// <param name="Margin">Survivors above the minimum.</param>
/// <param name="Problem">Why it failed; empty when it did not.</param>
public sealed record SecureSumFact(
    uint Number, double Started, double Seconds, string Phase, int Members, int Sharers, int Survivors, int Unmasked, int Minimum, int Threshold, int Margin, string Problem);

/// <summary>The latest sessions of a run, oldest first.</summary>
public sealed record SecureSumFacts(IReadOnlyList<SecureSumFact> Sessions);
