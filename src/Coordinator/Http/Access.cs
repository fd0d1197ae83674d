using Federated.Coordinator.Identity;

namespace Federated.Coordinator.Http;

/// <summary>Who may use an endpoint; metadata of every one of them. An endpoint under <c>/v1</c> or <c>/hubs</c> without it is for viewers.</summary>
/// <param name="Needed">Null for anybody, known or not.</param>
internal sealed record Access(Role? Needed)
{
    public static Access Anybody { get; } = new((Role?)null);

    public static Access Client { get; } = new(Role.Client);

    public static Access Viewer { get; } = new(Role.Viewer);

    public static Access Operator { get; } = new(Role.Operator);

    /// <summary>Clients and viewers alike.</summary>
    public static Access Known { get; } = new(Role.Viewer) { ClientsToo = true };

    public bool ClientsToo { get; private init; }

    /// <summary>Written into the audit log; empty when it is no privileged act.</summary>
    public string Act { get; init; } = "";

    /// <summary>Whether the protocol version must be told.</summary>
    public bool IsProtocol => Needed == Role.Client;

    public bool Admits(Principal who) => Needed is not { } role || who.May(role) || (ClientsToo && who.Role == Role.Client);
}
