using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Models;

/// <summary>Initial parameters as PyTorch draws them by default for linear and convolutional layers.</summary>
/// <remarks>
/// torch.nn.Linear and torch.nn.Conv2d: weights and biases uniform on (−1/√f, 1/√f), f the fan-in (Kaiming uniform with a = √5).
/// The distribution is PyTorch's, the stream is ours.
/// </remarks>
internal static class Initialization
{
    public static void Uniform<T>(Span<T> values, int fanIn, SeededRandom random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var bound = 1.0 / Math.Sqrt(fanIn);
        foreach (ref var value in values)
        {
            value = T.CreateTruncating(((2.0 * random.NextDouble()) - 1.0) * bound);
        }
    }
}
