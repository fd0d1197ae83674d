namespace Federated.Protocol.Wire;

/// <summary>Where a report of a shuffle run goes: the <c>shuffle</c> member of a <see cref="ProtectionMessage"/> of kind <see cref="ProtectionMessage.Shuffled"/>.</summary>
/// <param name="Url">Of the first shuffler; reports are posted to <c>/v1/reports</c> there.</param>
/// <param name="Shufflers">Whom the report is sealed to on its way, first to last.</param>
/// <param name="Analyzer">The coordinator's key for reports: a P-256 point, uncompressed, base64url.</param>
/// <param name="Run">The run's id.</param>
/// <param name="Batch">Names the batch that the report is for.</param>
/// <param name="ReportBytes">Bytes to which the encoded delta is padded before it is sealed.</param>
/// <param name="Ticket">Goes to the first shuffler as it is.</param>
public sealed record ShuffleMessage(
    string Url, IReadOnlyList<ShufflerKeyMessage> Shufflers, string Analyzer, string Run, string Batch, int ReportBytes, string Ticket)
{
    public IReadOnlyList<ShufflerKeyMessage> Shufflers { get; init; } = Whole.Of(Shufflers);
}

/// <summary>A shuffler that stands between client and coordinator.</summary>
/// <param name="Name">What the coordinator's operator calls it.</param>
/// <param name="Key">A P-256 point, uncompressed, base64url.</param>
public sealed record ShufflerKeyMessage(string Name, string Key);

/// <summary>What a shuffler says of itself, for whoever registers it at a coordinator; and what a coordinator has registered.</summary>
/// <param name="Name">What the coordinator's operator calls it; lower-case letters, digits and hyphens.</param>
/// <param name="Url">Where its clients, or the shuffler before it, reach it.</param>
/// <param name="SealingKey">What is sealed to it: a P-256 point, uncompressed, base64url.</param>
/// <param name="SigningKey">Its batches are signed with this ES256 key: SubjectPublicKeyInfo, DER, base64url.</param>
public sealed record ShufflerMessage(string Name, string Url, string SealingKey, string SigningKey);

/// <summary>The shufflers that are registered at a coordinator.</summary>
public sealed record ShufflerList(IReadOnlyList<ShufflerMessage> Shufflers);

/// <summary>A coordinator's own keys for shuffled runs.</summary>
/// <param name="Coordinator">Its id.</param>
/// <param name="Analyzer">Reports are sealed to this key: a P-256 point, uncompressed, base64url.</param>
/// <param name="Tickets">Shufflers check tickets with this key: a P-256 point, uncompressed, base64url.</param>
public sealed record ShufflingKeysMessage(string Coordinator, string Analyzer, string Tickets);

/// <summary>A shuffler's reply to a report. It is durable when this is sent.</summary>
/// <param name="State"><c>held</c>, until its batch is there.</param>
public sealed record ReportReply(string State);

/// <summary>A coordinator's, or a second shuffler's, reply to a batch. It is durable when this is sent.</summary>
/// <param name="Accepted">Reports that count.</param>
/// <param name="Refused">Reports that do not, the malformed ones among them.</param>
/// <param name="Malformed">Reports that did not open, or are none of this run's.</param>
/// <param name="Again">The batch had come before, and this is what was answered then.</param>
public sealed record BatchReply(int Accepted, int Refused, int Malformed, bool Again);
