using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Privacy.Statements;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>Makes the parts of a run from the bytes of its configuration. The same bytes give parts that behave alike to the bit, in any process.</summary>
public interface IRunFactory
{
    /// <summary>Makes fresh parts, as for a new run; the host then restores what is stored into them.</summary>
    /// <param name="blobs">Where sections may keep vectors; durable.</param>
    /// <exception cref="CoordinatorException">The configuration is not one, or asks for what cannot be; the message says what to change.</exception>
    RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs);
}

/// <summary>What a run consists of, as its configuration says.</summary>
public sealed record RunParts
{
    /// <summary>At its beginning.</summary>
    public required RunMachine Machine { get; init; }

    /// <summary>At version 0, with the initial parameters.</summary>
    public required IRunModel Model { get; init; }

    /// <summary>Names and shapes of the parameters.</summary>
    public required ParameterLayout Layout { get; init; }

    /// <summary>The local training plan, as clients are given it.</summary>
    public required JsonElement Training { get; init; }

    /// <summary>How clients encode deltas; <c>safetensors</c> for not at all.</summary>
    public string Codec { get; init; } = "safetensors";

    /// <summary>Most bytes of one encoded delta, or of one vector beside it; longer ones are refused unread.</summary>
    public required long MaxUpdateBytes { get; init; }

    /// <summary>Vectors of that length that must come up beside a delta (SCAFFOLD's change of c_i).</summary>
    public int UplinkVectors { get; init; }

    /// <summary>Clients that the run waits for before it numbers them, in the ordinal order of their names; 0 to number them as they come.</summary>
    public int ExpectedClients { get; init; }

    /// <summary>The way of reports through shufflers; null where clients send their updates to the coordinator.</summary>
    public ShuffleTerms? Shuffle { get; init; }

    /// <summary>What goes with one assignment. Called on any thread.</summary>
    public required Func<Assignment, AssignmentTerms> Terms { get; init; }

    /// <summary>Evaluates versions at the coordinator; null to leave it to clients, or to nobody.</summary>
    public IRunEvaluator? Evaluator { get; init; }

    /// <summary>Evaluation by clients on their own data; null for none.</summary>
    public FederatedEvaluationOptions? ClientEvaluation { get; init; }

    /// <summary>Collects what people may see of the run; null when there is nothing beside its effects.</summary>
    public RunObserver? Observer { get; init; }

    /// <summary>What the run says about privacy before it begins.</summary>
    public PrivacyStatement Privacy { get; init; } = PrivacyStatement.None(StatementSetting.Served);

    /// <summary>How updates are summed that nobody may look at; null in a run that takes them one by one.</summary>
    public SecureSumParts? SecureSum { get; init; }

    /// <summary>State beside machine and model that has to survive with them: a privacy ledger, clients' memories.</summary>
    public IReadOnlyList<IRunSection> Sections { get; init; } = [];
}

/// <summary>What goes down with an assignment beside the model.</summary>
/// <param name="Seed">Of the client's draws that need not be secret.</param>
/// <param name="RateFactor">Factor on the plan's learning rate at this version.</param>
/// <param name="Privacy">What to do to the delta before it is sent; null for nothing.</param>
public readonly record struct AssignmentTerms(ulong Seed, double RateFactor, JsonElement? Privacy);

/// <summary>Evaluates a version where the coordinator runs. Called on any thread, for one version at a time.</summary>
public interface IRunEvaluator
{
    ValueTask<(double Accuracy, double Loss)> EvaluateAsync(int version, BlobReference model, IBlobStore blobs, CancellationToken cancellation);
}

/// <summary>Versions evaluated by clients on their own data.</summary>
public sealed record FederatedEvaluationOptions
{
    /// <summary>Reports to wait for before a version counts as evaluated.</summary>
    /// <value>The default is 10. Must be 1 or more.</value>
    [System.ComponentModel.DataAnnotations.Range(1, int.MaxValue)]
    public int Reports { get; init; } = 10;

    /// <summary>Seconds after which the reports that are there have to do; a version without any is not evaluated.</summary>
    /// <value>The default is 120. Must be above 0.</value>
    [System.ComponentModel.DataAnnotations.Range(0.001, double.MaxValue)]
    public double Seconds { get; init; } = 120;
}

/// <summary>
/// Deterministic state of a run beside its machine and model: it is told every event with what came of it, live and again after a crash,
/// and stands in every snapshot.
/// </summary>
/// <remarks>
/// What it decides may depend on nothing but its configuration and what it was told: a crash repeats it. A secret that noise is drawn from
/// must therefore be part of what is stored, never drawn anew.
/// </remarks>
public interface IRunSection
{
    /// <summary>Names the section in snapshots; never changed.</summary>
    string Name { get; }

    /// <summary>
    /// True when making the parts drew what cannot be drawn again, a secret: the run is then saved before its first event, so that a crash
    /// finds the same one.
    /// </summary>
    bool HoldsSecret => false;

    /// <summary>Called after the machine has handled the event and the model has carried its effects out.</summary>
    void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects);

    /// <summary>Writes the state, beginning with a number for its form.</summary>
    void Save(BinaryWriter writer);

    /// <summary>Takes the state that <see cref="Save"/> wrote, perhaps by an older build.</summary>
    void Load(BinaryReader reader);

    /// <summary>Called after <see cref="Load"/>, when the model has been loaded too, and before anything is repeated.</summary>
    void Restored()
    {
    }

    /// <summary>Blobs that the state names: they are kept.</summary>
    IEnumerable<BlobReference> Blobs => [];
}

/// <summary>What a run's sessions of secure aggregation need of its configuration.</summary>
/// <param name="Plan">Who may be summed, and how.</param>
/// <param name="Decode">From a sum to the update that it is the mean of, as a file in the form in which the run's clients would send it.</param>
public sealed record SecureSumParts(Federated.Privacy.Pipeline.SecureSumPlan Plan, DecodeSum Decode);

/// <param name="sum">Words modulo 2^b.</param>
/// <param name="members">Messages in it.</param>
/// <param name="publicSeed">32 bytes that the members knew.</param>
public delegate byte[] DecodeSum(ReadOnlySpan<uint> sum, int members, ReadOnlySpan<byte> publicSeed);
