namespace Federated.EndToEnd.Adversary;

/// <summary>One batch as it is seen from outside the shuffler, by somebody with the coordinator's keys and files.</summary>
/// <param name="Clients">Those whose reports are in it, in the order of their assignments.</param>
/// <param name="Reports">In the order of the batch.</param>
/// <param name="Truth">The place of each client's report: what nobody has but the shuffler.</param>
internal sealed record BatchView(IReadOnlyList<Trace> Clients, IReadOnlyList<Trace> Reports, int[] Truth);

/// <summary>What is known of a client or of a report.</summary>
/// <param name="Numbers">Whatever clients, or reports, may be ranked by.</param>
/// <param name="Bytes">All that it said and was told, or all that it is.</param>
internal sealed record Trace(IReadOnlyDictionary<string, double> Numbers, byte[] Bytes);
