using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Training;

/// <summary>Norms whose error does not grow with the length: short vectorised sums in T, added in double.</summary>
internal static class VectorNorm
{
    private const int Chunk = 1024;

    /// <summary>‖x‖².</summary>
    public static double Squared<T>(ReadOnlySpan<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = 0.0;
        for (; x.Length > Chunk; x = x[Chunk..])
        {
            sum += double.CreateTruncating(TensorPrimitives.SumOfSquares(x[..Chunk]));
        }

        return sum + double.CreateTruncating(TensorPrimitives.SumOfSquares(x));
    }
}
