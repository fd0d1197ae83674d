using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Runs;

/// <summary>What holds for a run whatever its scheduler.</summary>
public sealed record RunOptions
{
    /// <summary>Seed of the machine's own draws (client selection).</summary>
    /// <value>The default is 1.</value>
    public ulong Seed { get; init; } = 1;

    /// <summary>Seconds after which an assignment is lost; 0 for never.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double ClientTimeout { get; init; }

    /// <summary>Largest staleness τ that is still accepted; −1 for no bound.</summary>
    /// <value>The default is −1. Must be −1 or more.</value>
    [Range(-1, int.MaxValue)]
    public int MaxStaleness { get; init; } = -1;

    /// <summary>What to do with work that is beyond <see cref="MaxStaleness"/>.</summary>
    /// <value>The default is <see cref="StalenessPolicy.Reject"/>.</value>
    public StalenessPolicy OnStale { get; init; }

    /// <summary>Least seconds between two assignments of one client; 0 for none.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double CoolDown { get; init; }

    /// <summary>Evaluate every so many versions (and always the last); 0 for only the last.</summary>
    /// <value>The default is 1. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>Give up as diverged after this many updates in a row that were not finite.</summary>
    /// <value>The default is 10. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int DivergenceLimit { get; init; } = 10;

    /// <summary>
    /// Give up as diverged when an evaluation's loss is above this many times the first evaluation's (1 if that was lower); 0 for never. A
    /// learning rate far too large can leave a model finite and useless.
    /// </summary>
    /// <value>The default is 100. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double DivergenceFactor { get; init; } = 100;

    public StopOptions Stop { get; init; } = new();
}

/// <summary>What becomes of work whose base is staler than the run's bound.</summary>
public enum StalenessPolicy
{
    /// <summary>Let it finish and reject the update.</summary>
    Reject,

    /// <summary>Tell the client to stop as soon as its base is too old (Papaya).</summary>
    Abort,
}

/// <summary>When a run is over: at the first of these that holds. At least one must be set.</summary>
public sealed record StopOptions : IValidatableObject
{
    /// <summary>Stop at this version; 0 for no such limit.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int Versions { get; init; }

    /// <summary>Stop after this many accepted updates; 0 for no such limit.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, long.MaxValue)]
    public long ClientUpdates { get; init; }

    /// <summary>Stop at this time on the run's clock, in seconds; 0 for no such limit.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Seconds { get; init; }

    /// <summary>Stop when an evaluation reaches this accuracy; 0 for no target.</summary>
    /// <value>The default is 0. Must be in [0, 1].</value>
    [Range(0, 1)]
    public double TargetAccuracy { get; init; }

    /// <summary>Stop after this many evaluations without a better accuracy; 0 for never.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int Patience { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Versions == 0 && ClientUpdates == 0 && Seconds == 0)
        {
            yield return new ValidationResult(
                "A run needs an end that it is sure to reach: set versions, clientUpdates or seconds above 0.",
                [nameof(Versions), nameof(ClientUpdates), nameof(Seconds)]);
        }
    }
}
