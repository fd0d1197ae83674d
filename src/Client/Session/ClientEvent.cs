using Federated.Client.Transport;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>What a session does, for whoever shows or logs it.</summary>
public abstract record ClientEvent;

/// <summary>The client has an id.</summary>
public sealed record Enrolled(string Client) : ClientEvent;

/// <summary>The policy keeps the client from asking for work.</summary>
public sealed record Resting(TimeSpan For) : ClientEvent;

/// <summary>The coordinator has no work yet.</summary>
public sealed record Waiting(string Reason, TimeSpan For) : ClientEvent;

/// <summary>An assignment begins.</summary>
public sealed record Assigned(long Assignment, int BaseVersion) : ClientEvent;

/// <summary>The trainer told how far it is.</summary>
public sealed record Progressed(long Assignment, int Steps, double Loss) : ClientEvent;

/// <summary>The update is finished and on disk.</summary>
/// <param name="Bytes">Bytes that go up.</param>
public sealed record Trained(long Assignment, int Steps, double Loss, long Bytes) : ClientEvent;

/// <summary>The coordinator has said what became of an update.</summary>
public sealed record Settled(long Assignment, UpdateOutcomeMessage Outcome) : ClientEvent;

/// <summary>A session of secure aggregation ended before the update was sent; the next one is joined.</summary>
public sealed record SumLeft(long Assignment, string Reason) : ClientEvent;

/// <summary>An assignment ended without an update.</summary>
public sealed record GivenUp(long Assignment, string Reason) : ClientEvent;

/// <summary>The client's own privacy requirements keep it out of the run, or of an assignment of it.</summary>
/// <param name="Assignment">Null when the client did not join.</param>
public sealed record PrivacyRefused(long? Assignment, string Reason) : ClientEvent;

/// <summary>A version was evaluated on the client's own data.</summary>
public sealed record Evaluated(int Version, EvaluationReport Report) : ClientEvent;

/// <summary>A version was not evaluated, or the report was not taken.</summary>
public sealed record EvaluationFailed(int Version, string Reason) : ClientEvent;

/// <summary>A request did not succeed and will be repeated.</summary>
public sealed record Retrying(string What, Problem Problem, TimeSpan After) : ClientEvent;

/// <summary>Follows a session; called on its threads, must be quick and must not throw.</summary>
public interface IClientObserver
{
    void On(ClientEvent happened);
}

internal sealed class NoObserver : IClientObserver
{
    public void On(ClientEvent happened)
    {
    }
}
