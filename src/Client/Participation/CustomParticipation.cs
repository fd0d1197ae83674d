namespace Federated.Client.Participation;

/// <summary>The app decides, by functions.</summary>
/// <param name="untilReady">How long to wait before asking for work; zero for now.</param>
public sealed class CustomParticipation(Func<DateTimeOffset, TimeSpan> untilReady) : IParticipationPolicy
{
    public string Name => ParticipationPolicies.Custom;

    /// <value>Whether work may go on. The default is always; asked every <see cref="WatchEvery"/>.</value>
    public Func<DateTimeOffset, bool>? Continues { get; init; }

    /// <value>The default is 5 s where <see cref="Continues"/> is given, else never.</value>
    public TimeSpan? WatchEvery
    {
        get => field ?? (Continues is null ? null : TimeSpan.FromSeconds(5));
        init;
    }

    /// <value>Steps where the run leaves the effort to the client. The default is one pass over the data.</value>
    public Func<EffortQuestion, int>? Effort { get; init; }

    public TimeSpan UntilReady(DateTimeOffset now) => untilReady(now);

    public bool MayContinue(DateTimeOffset now) => Continues?.Invoke(now) ?? true;

    public int ChooseSteps(in EffortQuestion question) => Math.Max(1, Effort?.Invoke(question) ?? question.StepsPerEpoch);
}
