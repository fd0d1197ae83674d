namespace Federated.Client.Participation;

/// <summary>When a device takes part, whether it may go on, and how much it does where the run leaves that to it.</summary>
/// <remarks>Asked by one session, from one call at a time. Time comes in as an argument.</remarks>
public interface IParticipationPolicy
{
    string Name { get; }

    /// <summary>How long to wait before asking for work; zero or less for now. Asked before every check-in, and asked again after that time.</summary>
    TimeSpan UntilReady(DateTimeOffset now);

    /// <summary>How often to ask <see cref="MayContinue"/> during training; null for never.</summary>
    TimeSpan? WatchEvery => null;

    /// <summary>False when the device is wanted back: the assignment is given up.</summary>
    bool MayContinue(DateTimeOffset now) => true;

    /// <summary>An assignment has ended, well or not.</summary>
    void OnTaskEnded(DateTimeOffset now)
    {
    }

    /// <summary>Local steps to do where the run leaves the effort to the client (anarchic participation); 1 or more.</summary>
    int ChooseSteps(in EffortQuestion question) => question.StepsPerEpoch;
}

/// <summary>What a policy may weigh when it chooses its effort.</summary>
/// <param name="Examples">n_i.</param>
/// <param name="BatchSize">B of the run's plan; 0 for all examples at once.</param>
/// <param name="SecondsLeft">Until the lease ends; null for no end.</param>
public readonly record struct EffortQuestion(double Examples, int BatchSize, double? SecondsLeft)
{
    /// <summary>Steps of one pass over the data: ⌈n/B⌉, at least 1.</summary>
    public int StepsPerEpoch => BatchSize <= 0 || Examples <= 0 ? 1 : (int)Math.Clamp(Math.Ceiling(Examples / BatchSize), 1, int.MaxValue);
}
