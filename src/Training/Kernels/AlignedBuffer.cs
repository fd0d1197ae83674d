using System.Runtime.CompilerServices;

namespace Federated.Training.Kernels;

/// <summary>
/// Scratch memory at a fixed address, aligned to a cache line so that no full-width load straddles two lines. Grows, never shrinks;
/// growing loses the contents. Belongs to one thread.
/// </summary>
internal sealed unsafe class AlignedBuffer<T>
    where T : unmanaged
{
    private const int Alignment = 64;

    private T[] array = [];
    private int offset;

    public AlignedBuffer()
    {
    }

    public AlignedBuffer(int length) => Reserve(length);

    public int Length { get; private set; }

    /// <summary>First element; valid until the buffer grows or is collected.</summary>
    public T* Pointer { get; private set; }

    public Span<T> Span => array.AsSpan(offset, Length);

    public Memory<T> Memory => array.AsMemory(offset, Length);

    /// <summary>Makes at least <paramref name="length"/> elements available, zeroed when newly allocated.</summary>
    public T* Reserve(int length)
    {
        if (length > Length)
        {
            // Pinned: the kernels keep addresses across calls, and the collector never has to move big blocks.
            array = GC.AllocateArray<T>(length + (Alignment / sizeof(T)), pinned: true);
            var start = (nuint)Unsafe.AsPointer(ref array[0]);
            offset = (int)((((start + Alignment - 1) & ~(nuint)(Alignment - 1)) - start) / (nuint)sizeof(T));
            Pointer = (T*)start + offset;
            Length = length;
        }

        return Pointer;
    }
}
