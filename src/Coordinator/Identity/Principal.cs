namespace Federated.Coordinator.Identity;

/// <summary>What somebody may do.</summary>
public enum Role
{
    /// <summary>Take part in runs, as itself.</summary>
    Client,

    /// <summary>Look at runs.</summary>
    Viewer,

    /// <summary>Everything: create, control and delete runs, give out and revoke credentials.</summary>
    Operator,
}

/// <summary>Somebody who has shown who it is. One object per identity: a revocation is seen at once by whoever holds it.</summary>
public sealed class Principal(Role role, string id, string name)
{
    private volatile bool isRevoked;

    public Role Role { get; } = role;

    /// <summary>The client's id, or the token's.</summary>
    public string Id { get; } = id;

    /// <summary>What people call it.</summary>
    public string Name { get; } = name;

    public bool IsRevoked => isRevoked;

    /// <summary>Whether it may do what needs this role; operators may do what viewers may, and nobody but a client acts as one.</summary>
    public bool May(Role needed) => Role == needed || (Role == Role.Operator && needed == Role.Viewer);

    internal void Revoke() => isRevoked = true;

    public override string ToString() => $"{Role} {Id}";
}
