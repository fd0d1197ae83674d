using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Hosting;

namespace Federated.Coordinator.Orleans.Tests.Hosting;

/// <summary>News of a run that come twice, late, or not at all.</summary>
public sealed class RunMirrorTests
{
    [Fact]
    public void Evaluations_stand_once_each_and_in_order_and_a_gap_is_asked_for()
    {
        var mirror = new RunMirror();
        Assert.False(mirror.Take(News(0, 2)));
        Assert.False(mirror.Take(News(0, 2))); // Once more.
        Assert.False(mirror.Take(News(1, 3))); // What is known, and one beyond.
        Assert.True(mirror.Take(News(7, 1))); // Some in between were lost.
        Assert.Equal([0, 1, 2, 3], mirror.Metrics.Select(point => (int)point.Index));
        Assert.Equal(4, mirror.Mark.Metrics);
    }

    private static RunNews News(int from, int count) =>
        new(new RunView { Host = HostState.Open }, 0, new NewsMark(from, 0), [.. Enumerable.Range(from, count).Select(Point)], [], null, [], "silo", 1);

    private static MetricPoint Point(int index) => new(index, index, index, 0.5, 1, 0, 0, 0, 0, 0, 0, null);
}
