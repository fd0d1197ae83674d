namespace Federated.Privacy.Statements;

/// <summary>Somebody who takes part in a run, and what reaches him.</summary>
/// <param name="Party">Who: "the coordinator".</param>
/// <param name="Sees">What, without the noise of the guarantee or with it: "every client's update, clipped, without noise".</param>
/// <param name="IsTrusted">Whether the guarantee fails when this party is curious, or colludes.</param>
public sealed record StatementParty(string Party, string Sees, bool IsTrusted);
