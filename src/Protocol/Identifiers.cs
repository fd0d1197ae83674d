namespace Federated.Protocol;

/// <summary>A client's number within a run's registry, in the order of joining; names and credentials live in the registry.</summary>
public readonly record struct ClientId(int Value) : IComparable<ClientId>
{
    public int CompareTo(ClientId other) => Value.CompareTo(other.Value);

    public override string ToString() => $"client {Value}";
}

/// <summary>An assignment's number within its run, in the order of dispatch; updates are idempotent by it.</summary>
public readonly record struct AssignmentId(long Value) : IComparable<AssignmentId>
{
    public int CompareTo(AssignmentId other) => Value.CompareTo(other.Value);

    public override string ToString() => $"assignment {Value}";
}
