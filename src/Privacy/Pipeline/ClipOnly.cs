using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>The client's side of central noise: it clips, so that an honest client's update passes the server's own clipping unchanged.</summary>
/// <param name="bound">C, which may change between releases.</param>
internal sealed class ClipOnly<T>(Func<double> bound) : IClientProtection<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public ClipReport Protect(Span<T> delta, IRandomSource random) => L2Clip.Apply(delta, bound(), maxThreads: 1);
}

/// <summary>The client's side where the server needs to see by how much an update would be clipped (adaptive bounds): nothing.</summary>
internal sealed class LeaveToServer<T> : IClientProtection<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public ClipReport Protect(Span<T> delta, IRandomSource random) => new(0, Clipped: false, WasFinite: true);
}
