using Microsoft.AspNetCore.Http;

namespace Federated.Coordinator.Dashboard.Http;

/// <summary>How the host that serves the dashboard protects it.</summary>
public sealed record DashboardOptions
{
    /// <summary>Authorization policy of everything that reads; null when the host protects the whole application another way.</summary>
    public string? ViewPolicy { get; init; }

    /// <summary>Whether a request is an operator's; everybody else who is let in is a viewer.</summary>
    public required Func<HttpContext, bool> IsOperator { get; init; }

    /// <summary>Whether operators can create runs here by <c>POST /v1/runs</c>.</summary>
    public bool CanCreate { get; init; }

    /// <summary>Whether the host answers <c>GET /v1/runs/{run}/privacy</c> itself, as a coordinator does.</summary>
    public bool HostTellsPrivacy { get; init; }

    /// <summary>JSON schema of what a run is created from, for the form; empty where there is none.</summary>
    public string Schema { get; init; } = "";

    /// <summary>The version of this program, for people to see.</summary>
    public string Version { get; init; } = "";
}
