namespace Federated.Simulation.Results;

/// <summary>A finished run in one record: <c>summary.json</c>.</summary>
public sealed record RunSummary
{
    /// <summary>The experiment's name.</summary>
    public required string Run { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Scheduler × aggregator × server optimizer × objective, by name.</summary>
    public required string Strategy { get; init; }

    public required int Clients { get; init; }

    public required int Versions { get; init; }

    /// <summary>Updates accepted; the same as <see cref="Accepted"/>, under the name that other files use.</summary>
    public long ClientUpdates => Accepted;

    public required long Accepted { get; init; }

    public required long Rejected { get; init; }

    public required long Lost { get; init; }

    public required long Dispatched { get; init; }

    /// <summary>Of the last version; NaN when nothing was evaluated.</summary>
    public double FinalAccuracy { get; init; } = double.NaN;

    public double BestAccuracy { get; init; } = double.NaN;

    public double FinalLoss { get; init; } = double.NaN;

    /// <summary>Virtual seconds until the target accuracy was first reached; NaN when there is no target or it was not reached.</summary>
    public double TimeToTargetSeconds { get; init; } = double.NaN;

    public required double VirtualSeconds { get; init; }

    public required double WallSeconds { get; init; }

    public long PeakRssBytes { get; init; }

    public required long BytesUp { get; init; }

    public required long BytesDown { get; init; }

    /// <summary>ε spent; NaN in a run without privacy.</summary>
    public double Epsilon { get; init; } = double.NaN;

    public double Delta { get; init; } = double.NaN;

    /// <summary>The guarantee in full; null in a run without privacy.</summary>
    public PrivacySummary? Privacy { get; init; }

    /// <summary>SHA-256, lower-case hex, of <c>model.safetensors</c>; empty in a run without a model.</summary>
    public string ModelSha256 { get; init; } = "";

    /// <summary>Why the run ended, in kebab-case.</summary>
    public required string FinishReason { get; init; }

    /// <summary>The same as a sentence.</summary>
    public required string FinishDetail { get; init; }

    /// <summary>Events handled by the run machine.</summary>
    public long Events { get; init; }

    /// <summary>Whose updates made the model, against whose should have; null when nothing was published.</summary>
    public ParticipationSummary? Participation { get; init; }

    /// <summary>The final model on each client's own test examples; empty when the data have none.</summary>
    public IReadOnlyList<ClientScore> ClientScores { get; init; } = [];

    /// <summary>What the same model learns without federation; empty unless asked.</summary>
    public IReadOnlyList<BaselineScore> Baselines { get; init; } = [];
}

/// <summary>A model on one client's own test examples.</summary>
/// <param name="Client">The client's number.</param>
/// <param name="Name">What people call it.</param>
public sealed record ClientScore(int Client, string Name, int TestExamples, double Accuracy, double Loss);

/// <summary>A baseline: pooled training, or one client on its own data.</summary>
/// <param name="Kind"><c>pooled</c> or <c>local</c>.</param>
/// <param name="Client">Whose data trained it; −1 for pooled.</param>
/// <param name="Name">What people call that client; <c>pooled</c> otherwise.</param>
/// <param name="Steps">Local steps it was trained for.</param>
/// <param name="Accuracy">On the pooled test set.</param>
/// <param name="Loss">On the pooled test set.</param>
/// <param name="Scores">On the test examples of each client that has some.</param>
public sealed record BaselineScore(
    string Kind, int Client, string Name, long Steps, double Accuracy, double Loss, IReadOnlyList<ClientScore> Scores);
