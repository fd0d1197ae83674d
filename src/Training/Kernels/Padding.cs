using System.Numerics;
using System.Runtime.Intrinsics;

namespace Federated.Training.Kernels;

/// <summary>Lengths rounded up to whole registers.</summary>
internal static class Padding
{
    /// <summary>Elements of one register of the width that the kernels use here.</summary>
    public static int RegisterLength<T>()
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? Vector512<T>.Count : Vector256.IsHardwareAccelerated ? Vector256<T>.Count : Vector<T>.Count;

    /// <summary>The smallest whole number of registers that holds <paramref name="length"/> elements, in elements.</summary>
    public static int ToRegisters<T>(int length)
        where T : unmanaged
    {
        var register = RegisterLength<T>();
        return (length + register - 1) / register * register;
    }
}
