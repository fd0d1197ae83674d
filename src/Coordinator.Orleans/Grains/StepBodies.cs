using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>Puts together the bodies of steps that come in parts. For one grain's own context.</summary>
/// <remarks>
/// Parts of a body come one after the other; one that is repeated changes nothing, and after a gap the body has to begin anew. A front door that dies in the
/// middle leaves a part of a body behind, which goes when another body begins two minutes later.
/// </remarks>
internal sealed class StepBodies(TimeProvider clock)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(2);

    private readonly Dictionary<(AssignmentId, string), Body> open = [];

    /// <summary>Bodies that are not whole yet.</summary>
    public int Count => open.Count;

    /// <returns>Whether the part fits what is there, and the body once it is whole.</returns>
    public (bool Fits, byte[]? Whole) Add(AssignmentId assignment, string step, int length, int offset, ReadOnlySpan<byte> part)
    {
        var key = (assignment, step);
        if (offset == 0)
        {
            foreach (var left in open.Where(body => clock.GetElapsedTime(body.Value.Begun) > Kept).Select(body => body.Key).ToList())
            {
                open.Remove(left);
            }

            open[key] = new Body(new byte[length], clock.GetTimestamp());
        }

        if (!open.TryGetValue(key, out var body) || body.Bytes.Length != length || offset < 0 || offset > body.Have || part.Length > length - offset)
        {
            open.Remove(key);
            return (false, null);
        }

        part.CopyTo(body.Bytes.AsSpan(offset));
        body.Have = Math.Max(body.Have, offset + part.Length);
        if (body.Have < length)
        {
            return (true, null);
        }

        open.Remove(key);
        return (true, body.Bytes);
    }

    private sealed class Body(byte[] bytes, long begun)
    {
        public byte[] Bytes => bytes;

        public long Begun => begun;

        public int Have { get; set; }
    }
}
