using Federated.Coordinator.Orleans.Grains;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Tests.Grains;

public sealed class StepBodiesTests
{
    private static readonly byte[] Body = [.. Enumerable.Range(0, 10).Select(i => (byte)i)];

    private readonly StepBodies bodies = new(TimeProvider.System);

    [Fact]
    public void A_body_is_whole_when_its_last_part_is_there_and_a_part_that_is_repeated_changes_nothing()
    {
        Assert.Equal((true, null), Add(0, 4));
        Assert.Equal((true, null), Add(4, 4));
        Assert.Equal((true, null), Add(4, 4));
        Assert.Equal(Body, Add(8, 2).Whole);
        Assert.Equal(0, bodies.Count);
    }

    [Fact]
    public void After_a_gap_or_with_another_length_it_has_to_begin_anew()
    {
        Assert.False(Add(4, 4).Fits); // Its beginning went to another silo.
        Add(0, 4);
        Assert.False(Add(8, 2).Fits);
        Assert.False(Add(4, 4).Fits);
        Add(0, 4);
        Assert.False(bodies.Add(new AssignmentId(1), "input", 11, 4, Body.AsSpan(4, 4)).Fits);
        Assert.False(bodies.Add(new AssignmentId(1), "input", 10, 0, new byte[11]).Fits);
        Assert.Equal(0, bodies.Count);
        Add(0, 4);
        Assert.Equal(Body, Add(4, 6).Whole);
    }

    private (bool Fits, byte[]? Whole) Add(int offset, int count) => bodies.Add(new AssignmentId(1), "input", Body.Length, offset, Body.AsSpan(offset, count));
}
