namespace Federated.Client.Transport;

/// <summary>Where the coordinator may be found. It may move: to another port, another machine, behind another name.</summary>
public interface IEndpoints
{
    /// <summary>Addresses in the order to try them; asked again whenever none of the last ones answered. At least one.</summary>
    ValueTask<IReadOnlyList<Uri>> ResolveAsync(CancellationToken cancellation);
}
