namespace Federated.Protocol.Wire;

/// <summary>What a client declares of its update, before or with the bytes.</summary>
public sealed record UpdateDeclaration
{
    /// <summary>The encoded delta.</summary>
    public required BlobReference Delta { get; init; }

    /// <summary>Vectors that go up beside the delta, by name.</summary>
    public IReadOnlyDictionary<string, BlobReference> Extras { get; init => field = Whole.Of(value); } = NoExtras;

    /// <summary>n_i, the examples trained on.</summary>
    public required double Examples { get; init; }

    /// <summary>K_i, the local steps done.</summary>
    public required int LocalSteps { get; init; }

    /// <summary>‖a_i‖₁ of FedNova; K_i for plain SGD.</summary>
    public double StepWeight { get; init; }

    /// <summary>Mean training loss; null when not told.</summary>
    public double? TrainingLoss { get; init; }

    public double DownloadSeconds { get; init; }

    public double TrainSeconds { get; init; }

    /// <summary>The client is available for its next assignment at once.</summary>
    public bool Ready { get; init; }

    private static Dictionary<string, BlobReference> NoExtras { get; } = [];
}

/// <summary>Reply to a declaration: what is still to be uploaded.</summary>
/// <param name="Uploads">Location of an upload for each digest that the coordinator does not have; empty when it has everything.</param>
/// <param name="Outcome">Set when nothing was missing, so that the update was taken at once.</param>
public sealed record UpdateReply(IReadOnlyDictionary<string, string> Uploads, UpdateOutcomeMessage? Outcome = null)
{
    public IReadOnlyDictionary<string, string> Uploads { get; init; } = Whole.Of(Uploads);
}

/// <summary>What became of an update. It is durable when this is sent.</summary>
/// <param name="Accepted">True also when it had been accepted before: a repeated request counts once.</param>
/// <param name="Reason">Empty when accepted; else one word (<c>stale</c>, <c>too-late</c>, <c>not-finite</c>, …).</param>
/// <param name="Detail">A sentence for people.</param>
/// <param name="Next">The next assignment or wait, when the client said it was ready.</param>
public sealed record UpdateOutcomeMessage(bool Accepted, string Reason, string Detail, CheckInReply? Next = null);

/// <summary>Body of <c>POST /v1/runs/{run}/assignments/{id}:fail</c>.</summary>
public sealed record FailRequest(string Reason);
