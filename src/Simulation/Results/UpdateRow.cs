namespace Federated.Simulation.Results;

/// <summary>What became of one assignment: a row of <c>updates.csv</c>. All seconds are virtual.</summary>
/// <param name="Assignment">The assignment's number.</param>
/// <param name="Client">The client's number.</param>
/// <param name="BaseVersion">The version that the client started from.</param>
/// <param name="Staleness">τ when it was folded in, or when it ended.</param>
/// <param name="LocalSteps">Steps done; 0 when no update came.</param>
/// <param name="Examples">n_i.</param>
/// <param name="DownloadSeconds">Fetching the model.</param>
/// <param name="TrainSeconds">Training.</param>
/// <param name="UploadSeconds">Sending the update.</param>
/// <param name="AggregateSeconds">From arrival until it was folded into an aggregate.</param>
/// <param name="Weight">Weight in its aggregate before normalisation; 0 when it was not used.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">Why, in one word; empty for an accepted update.</param>
/// <param name="DispatchedAt">Virtual time of the dispatch.</param>
/// <param name="EndedAt">Virtual time of the arrival or the loss.</param>
/// <param name="Norm">ℓ2 norm of the delta; NaN when nobody measured it. Not in the file.</param>
public readonly record struct UpdateRow(
    long Assignment,
    int Client,
    int BaseVersion,
    int Staleness,
    int LocalSteps,
    double Examples,
    double DownloadSeconds,
    double TrainSeconds,
    double UploadSeconds,
    double AggregateSeconds,
    double Weight,
    UpdateOutcome Outcome,
    string Reason,
    double DispatchedAt,
    double EndedAt,
    double Norm = double.NaN);

/// <summary>The three ends of an assignment.</summary>
public enum UpdateOutcome
{
    Accepted,
    Rejected,
    Lost,
}
