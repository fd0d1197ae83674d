using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Federated.Protocol.Wire;

namespace Federated.EndToEnd.Serving;

/// <summary>Holds a run's last assignments back at its clients, so that it is not over before a test has done all that is to happen to it, however slow the machine.</summary>
internal sealed partial class LastRound
{
    private readonly long firstAssignment;
    private readonly int firstVersion;
    private readonly TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isReached;

    private LastRound(long assignment, int version) => (firstAssignment, firstVersion) = (assignment, version);

    /// <summary>Whether a client holds one: the run gets no further.</summary>
    public bool IsReached => isReached;

    /// <summary>Of a run that loses none, so that their numbers are known.</summary>
    public static LastRound FromAssignment(long first) => new(first, int.MaxValue);

    /// <summary>Of a run whose updates do not come by themselves.</summary>
    public static LastRound FromVersion(int first) => new(long.MaxValue, first);

    public void Open() => open.TrySetResult();

    /// <summary>What a client's requests go through.</summary>
    public HttpMessageHandler Handler() => new Holding(this) { InnerHandler = new SocketsHttpHandler() };

    [GeneratedRegex("/assignments/(\\d+)/update$")]
    private static partial Regex Update();

    private async Task HoldAsync(long assignment, int baseVersion, CancellationToken cancellation)
    {
        if (assignment >= firstAssignment || baseVersion >= firstVersion)
        {
            isReached = true;
            await open.Task.WaitAsync(cancellation);
        }
    }

    private sealed class Holding(LastRound round) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var path = request.RequestUri!.AbsolutePath;
            if (Update().Match(path) is { Success: true } update)
            {
                await round.HoldAsync(long.Parse(update.Groups[1].Value, CultureInfo.InvariantCulture), -1, cancellationToken); // It came with the reply to another.
            }

            var response = await base.SendAsync(request, cancellationToken);
            if (path.EndsWith("/check-ins", StringComparison.Ordinal) && response.IsSuccessStatusCode
                && JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(cancellationToken), WireJson.Default.CheckInReply)?.Assignment is { } assignment)
            {
                await round.HoldAsync(assignment.Id, assignment.BaseVersion, cancellationToken);
            }

            return response;
        }
    }
}
