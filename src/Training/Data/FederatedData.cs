namespace Federated.Training.Data;

/// <summary>A training set split over clients, and the held-out examples the server evaluates on.</summary>
/// <param name="Train">All training examples of all clients.</param>
/// <param name="Test">The pooled held-out examples.</param>
/// <param name="Clients">One entry per client; the index is the client's number.</param>
public sealed record FederatedData(DataSet Train, DataSet Test, IReadOnlyList<ClientShard> Clients);

/// <summary>The examples of one client, as indices into the shared sets, so that a client costs only its indices.</summary>
/// <param name="Name">What people call it: a hospital, a speaking role, or the client's number.</param>
/// <param name="Train">Indices into <see cref="FederatedData.Train"/>.</param>
/// <param name="Test">Indices into <see cref="FederatedData.Test"/> that belong to this client; empty when the test set is only pooled.</param>
public sealed record ClientShard(string Name, int[] Train, int[] Test);
