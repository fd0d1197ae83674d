using System.Text.Json;

namespace Federated.Protocol.Wire;

/// <summary>Body of <c>POST /v1/runs/{run}/check-ins</c>.</summary>
/// <param name="Examples">n_i, the client's training examples; 0 to keep it to oneself until an update.</param>
/// <param name="WaitSeconds">How long the client is willing to wait for an assignment in this request (long poll); at most 300.</param>
public sealed record CheckInRequest(double Examples, double WaitSeconds);

/// <summary>Reply to a check-in, and to an update that said it was ready for more: exactly one of the four is set.</summary>
public sealed record CheckInReply
{
    public AssignmentMessage? Assignment { get; init; }

    public WaitMessage? Wait { get; init; }

    public EvaluationMessage? Evaluation { get; init; }

    /// <summary>The run is over: do not ask again.</summary>
    public OverMessage? Over { get; init; }
}

/// <summary>A lease to train.</summary>
/// <param name="Id">Names the assignment in every later request about it.</param>
/// <param name="BaseVersion">The version to start from.</param>
/// <param name="Steps">Local steps to do; 0 when counted in epochs or left to the client.</param>
/// <param name="Epochs">Passes over the client's data; 0 when counted in steps or left to the client.</param>
/// <param name="Model">The parameters of the base version (safetensors).</param>
/// <param name="Extras">Vectors that go down beside the model (SCAFFOLD's c), by name.</param>
/// <param name="Training">The run's local training plan: batch size, optimizer, objective; see docs/protocol.md.</param>
/// <param name="Codec">How the delta is encoded on its way up; <c>safetensors</c> for none.</param>
/// <param name="Seed">Of mini-batches and of all else that is drawn and need not be secret; decimal, as it may exceed 2^53.</param>
/// <param name="RateFactor">Factor on the plan's learning rate at this version.</param>
public sealed record AssignmentMessage(
    long Id,
    int BaseVersion,
    int Steps,
    double Epochs,
    BlobReference Model,
    IReadOnlyDictionary<string, BlobReference> Extras,
    JsonElement Training,
    string Codec,
    string Seed,
    double RateFactor)
{
    public IReadOnlyDictionary<string, BlobReference> Extras { get; init; } = Whole.Of(Extras);

    /// <summary>Until the lease ends; null for no end.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>What to do to the delta before it is sent (<see cref="ProtectionMessage"/>); null for nothing.</summary>
    public JsonElement? Privacy { get; init; }
}

/// <summary>A request to evaluate a version on the client's own data.</summary>
/// <param name="Training">The run's local training plan: it names the model.</param>
public sealed record EvaluationMessage(int Version, BlobReference Model, JsonElement Training);

/// <summary>Body of <c>POST /v1/runs/{run}/evaluations/{version}</c>.</summary>
/// <param name="Examples">Examples evaluated on.</param>
/// <param name="Accuracy">In [0, 1].</param>
/// <param name="Loss">Mean loss.</param>
public sealed record EvaluationReport(double Examples, double Accuracy, double Loss);

/// <summary>Reply to <c>GET /v1/runs/{run}/assignments/{id}</c>.</summary>
/// <param name="State"><c>open</c>, <c>cancelled</c>, <c>ended</c> or, in a shuffled run, <c>dropped</c>.</param>
/// <param name="SecondsLeft">Until the lease ends; null for no end, or when it is not open.</param>
public sealed record AssignmentStateMessage(string State, double? SecondsLeft = null);

/// <summary>No work yet.</summary>
/// <param name="Reason">Why, for people.</param>
/// <param name="RetryAfterSeconds">When to ask again.</param>
public sealed record WaitMessage(string Reason, double RetryAfterSeconds);

/// <param name="Reason">How the run ended.</param>
/// <param name="FinalVersion">Its last version.</param>
public sealed record OverMessage(string Reason, int FinalVersion);
