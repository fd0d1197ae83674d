namespace Federated.Simulation.Results;

/// <summary>Whose updates made the model, against whose should have.</summary>
/// <param name="Bias">Total variation distance between effective and intended weights, ½·Σ|q_i − p_i|: 0 for none, towards 1 when a few clients made it all. Short runs differ from 0 by chance.</param>
/// <param name="Clients">One by one; the first thousand.</param>
public sealed record ParticipationSummary(double Bias, IReadOnlyList<ClientParticipation> Clients);

/// <summary>One client's part.</summary>
/// <param name="Client">The client's number.</param>
/// <param name="Updates">Updates in published versions.</param>
/// <param name="Intended">p_i, its share of all clients' ω(n).</param>
/// <param name="Effective">q_i, its share of the weights of all published versions.</param>
public sealed record ClientParticipation(int Client, int Updates, double Intended, double Effective);
