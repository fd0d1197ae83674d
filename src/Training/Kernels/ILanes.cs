namespace Federated.Training.Kernels;

/// <summary>
/// The few vector operations that the kernels need, over one register type, so that a kernel is written once and compiled for every
/// vector width and for float and double. All members are static and inlined: the abstraction costs nothing.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
/// <typeparam name="TVector">One register of <typeparamref name="T"/>.</typeparam>
internal unsafe interface ILanes<T, TVector>
    where T : unmanaged
    where TVector : struct
{
    /// <summary>Elements in one register.</summary>
    static abstract int Count { get; }

    /// <summary>Whether 32 registers are there (AVX-512, Arm): a 14×2 tile then stays in registers; otherwise 6×2 does.</summary>
    static abstract bool HasManyRegisters { get; }

    static abstract TVector Zero { get; }

    static abstract TVector Load(T* source);

    static abstract TVector Broadcast(T* source);

    static abstract TVector Create(T value);

    static abstract void Store(TVector value, T* destination);

    static abstract TVector Add(TVector a, TVector b);

    static abstract TVector Subtract(TVector a, TVector b);

    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>a·b + c with one rounding where the CPU fuses the two.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    static abstract TVector Max(TVector a, TVector b);

    static abstract TVector And(TVector a, TVector b);

    /// <summary>All bits set in the lanes where a = b.</summary>
    static abstract TVector EqualTo(TVector a, TVector b);

    /// <summary>All bits set in the lanes where a &gt; b.</summary>
    static abstract TVector GreaterThan(TVector a, TVector b);

    /// <summary>a without the bits of <paramref name="mask"/>.</summary>
    static abstract TVector AndNot(TVector a, TVector mask);

    static abstract TVector Exp(TVector a);

    /// <summary>Sum of the lanes, in a fixed order.</summary>
    static abstract T Sum(TVector a);

    /// <summary>The largest lane.</summary>
    static abstract T MaxLane(TVector a);

    /// <summary>All bits set in the last <paramref name="count"/> lanes, none in the others.</summary>
    static abstract TVector LastLanes(int count);
}
