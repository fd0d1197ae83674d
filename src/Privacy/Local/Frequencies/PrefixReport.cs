namespace Federated.Privacy.Local.Frequencies;

/// <summary>A client's report to <see cref="PrefixExtension"/>.</summary>
/// <param name="Group">The group that the client was put into, by public coins.</param>
/// <param name="Seed">Seed of its hash.</param>
/// <param name="Bucket">Randomised bucket of its prefix.</param>
public readonly record struct PrefixReport(int Group, ulong Seed, int Bucket);

/// <summary>What the server learned of one prefix.</summary>
/// <param name="Prefix">Its bits, as the low bits of a number.</param>
/// <param name="Frequency">Its estimated share of all clients; unbiased, so that it may be negative.</param>
public readonly record struct PrefixEstimate(ulong Prefix, double Frequency);
