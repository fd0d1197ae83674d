using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Telemetry;

/// <summary>Ends the traces of updates with the version that they became part of.</summary>
internal static class PublishTrace
{
    private const int Capacity = 4096;

    /// <summary>Follows a run until its host closes.</summary>
    public static void Follow(IRun host) => _ = Task.Run(async () =>
    {
        using var feed = host.Subscribe(Capacity);
        var folded = new List<AssignmentId>();
        var expected = -1L;
        await foreach (var notice in feed.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (expected >= 0 && notice.Sequence != expected)
            {
                folded.Clear(); // Some were missed: what is told of a version must be true.
            }

            expected = notice.Sequence + 1;
            foreach (var effect in notice.Effects)
            {
                switch (effect)
                {
                    case Accumulate accumulate:
                        folded.Add(accumulate.Assignment.Id);
                        break;
                    case Publish publish:
                        Tracing.Published(host.Entry.Id, publish.Version, folded);
                        folded.Clear();
                        break;
                }
            }
        }
    });
}
