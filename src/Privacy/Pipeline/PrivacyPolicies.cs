using System.Numerics;
using Federated.Privacy.Central;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>Names of the privacy policies, as they stand in a configuration, and their making.</summary>
public static class PrivacyPolicies
{
    /// <summary>No guarantee: for public data, and for comparison.</summary>
    public const string None = "none";

    /// <summary>A trusted server adds noise. Choose it for accuracy.</summary>
    public const string Central = "central";

    /// <summary>Nobody is trusted. Choose it where there are very many clients.</summary>
    public const string Local = "local";

    /// <summary>A shuffler is trusted. Choose it between the two.</summary>
    public const string Shuffle = "shuffle";

    /// <summary>Nobody is trusted, and single examples are protected, not clients. Choose it where each client is an institution with many people's examples.</summary>
    public const string Example = "example";

    /// <summary>The server sees sums only, without noise. Choose it to hide single updates where the model is as good as public.</summary>
    public const string SecureSum = "secure-sum";

    /// <summary>The server sees sums only, with noise of which each client adds its share. Choose it for central accuracy without trust in the server.</summary>
    public const string Distributed = "distributed";

    public static IReadOnlyList<string> All { get; } = [None, Central, Local, Shuffle, Example, SecureSum, Distributed];

    /// <summary>Makes the policy of a run, or says why it cannot be kept.</summary>
    /// <param name="options">The policy.</param>
    /// <param name="facts">What the run does.</param>
    /// <param name="random">Source of the server's noise; of the clients' too, where they are simulated.</param>
    /// <exception cref="PrivacyException">The combination is not sound; the message says why and what to change.</exception>
    public static PrivacyPolicy<T> Create<T>(PrivacyOptions options, RunFacts facts, IRandomSource random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(random);
        return options switch
        {
            NoPrivacyOptions => new NoPolicy<T>(),
            CentralPrivacyOptions { Mechanism: DpFtrlOptions ftrl } central => new CentralFtrlPolicy<T>(central, ftrl, facts, random),
            CentralPrivacyOptions { Mechanism: DpFedAvgOptions average } central => new CentralAveragePolicy<T>(central, average, facts, random),
            LocalPrivacyOptions local => new ReportPolicy<T>(local, facts, random),
            ShufflePrivacyOptions shuffle => new ReportPolicy<T>(shuffle, facts, random),
            ExamplePrivacyOptions example => new ExamplePolicy<T>(example, facts, random),
            SecureAggregationOptions sums => new SecureSumPolicy<T>(sums, facts, random),
            _ => throw new PrivacyException($"No policy for options of type {options.GetType().Name}."),
        };
    }

    /// <summary>The client's side of a policy, from what a client knows: the run's options and the size of the model.</summary>
    /// <param name="options">The policy.</param>
    /// <param name="dimension">d, parameters of the model.</param>
    /// <returns>Not thread-safe, one a worker; null when updates leave the client as they are.</returns>
    public static IClientProtection<T>? CreateClient<T>(PrivacyOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        return options switch
        {
            NoPrivacyOptions => null,
            CentralPrivacyOptions { AdaptiveClipping: not null } => new LeaveToServer<T>(),
            CentralPrivacyOptions central => new ClipOnly<T>(() => central.Mechanism.ClipNorm),
            ExamplePrivacyOptions => null, // The trainer protects, step by step.
            RandomizedReportOptions reports => ReportPolicy<T>.ForClient(reports, dimension),
            _ => throw new PrivacyException($"No protection for options of type {options.GetType().Name}."),
        };
    }
}
