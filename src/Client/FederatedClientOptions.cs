using Federated.Client.Participation;
using Federated.Client.Privacy;
using Federated.Client.Session;
using Federated.Protocol.Wire;

namespace Federated.Client;

/// <summary>What a client is told by whoever installs it.</summary>
public sealed record FederatedClientOptions
{
    /// <summary>The id of the run to take part in.</summary>
    public required string Run { get; init; }

    /// <summary>What people call this client; shown on the dashboard.</summary>
    /// <value>The default is empty: the device's own name. At most 100 characters.</value>
    public string Name { get; init; } = "";

    /// <summary>The one-time token that an operator gave out; needed until the client is enrolled.</summary>
    /// <value>The default is empty: enrolled before, or known by the transport.</value>
    public string EnrolmentToken { get; init; } = "";

    /// <summary>When to take part, and how much to do where the run leaves that open.</summary>
    /// <value>The default is always.</value>
    public IParticipationPolicy Participation { get; init; } = new AlwaysAvailable();

    /// <summary>What the client asks of the run's privacy before it trains for it or sends to it.</summary>
    /// <value>The default is null: it does what the run's policy asks, and asks nothing itself.</value>
    public PrivacyRequirements? Privacy { get; init; }

    /// <summary>
    /// Asked before each training, where <see cref="Privacy"/> is set, with what it would cost by the client's own count: null to consent, or why
    /// not, in words that the coordinator is told too. A veto ends the session.
    /// </summary>
    /// <value>The default is null: nobody is asked.</value>
    public Func<PrivacyProposal, string?>? PrivacyVeto { get; init; }

    /// <summary>Follows the session.</summary>
    /// <value>The default is nobody.</value>
    public IClientObserver Observer { get; init; } = new NoObserver();

    /// <summary>How long one check-in may wait for an assignment.</summary>
    /// <value>The default is 60 s. At most 300 s.</value>
    public TimeSpan LongPoll { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a session's first check-in may wait; short to be told at once what the coordinator waits for.</summary>
    /// <value>The default is null: as all others.</value>
    public TimeSpan? FirstPoll { get; init; }

    /// <summary>How long one control request may take, beyond what it waits for.</summary>
    /// <value>The default is 30 s.</value>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first wait after a failed request; it doubles from there.</summary>
    /// <value>The default is 1 s.</value>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between two attempts.</summary>
    /// <value>The default is 60 s.</value>
    public TimeSpan LastRetry { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Training longer than this is watched for a cancellation by the coordinator.</summary>
    /// <value>The default is 5 s.</value>
    public TimeSpan WatchAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long each question whether the work is still wanted may wait for news.</summary>
    /// <value>The default is 30 s.</value>
    public TimeSpan WatchPoll { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Updates up to this size, all parts together, go up in one request.</summary>
    /// <value>The default, and the protocol's limit, is 4 MiB less the declaration's room.</value>
    public int EnvelopeBytes { get; init; } = UpdateEnvelope.MaxLength - UpdateEnvelope.MaxDeclaration - 4;

    /// <summary>Bytes of one piece of a resumable upload.</summary>
    /// <value>The default is 32 MiB.</value>
    public long ChunkBytes { get; init; } = 32L << 20;

    /// <summary>The session ends with the trainer's own exception after so many failures in a row.</summary>
    /// <value>The default is 3.</value>
    public int TrainerFailures { get; init; } = 3;

    /// <summary>End after so many updates; 0 for when the run is over.</summary>
    /// <value>The default is 0.</value>
    public int MaxUpdates { get; init; }

    /// <summary>Of the random parts of waits.</summary>
    /// <value>The default is null: drawn from the operating system.</value>
    public ulong? Seed { get; init; }

    /// <summary>Held during training and encoding: clients of one process that share it take turns on its cores.</summary>
    /// <value>The default is null: nobody else is here.</value>
    public SemaphoreSlim? ComputeGate { get; init; }

    /// <summary>
    /// Whether an identity key (SubjectPublicKeyInfo) is really that of a member, by a directory that is not the coordinator's: a session of secure aggregation with
    /// anybody else is left. Without one the coordinator's word is taken, and it could make up members.
    /// </summary>
    /// <value>The default is null: the coordinator's word is taken.</value>
    public Func<string, ReadOnlyMemory<byte>, bool>? KnownMembers { get; init; }
}
