namespace Federated.Training.Kernels;

/// <summary>
/// One matrix product C ← keep·C + scale·A·B, with A addressed by strides so that a transpose, a window of an image or a slice of a
/// layer needs no copy. C has <see cref="Rows"/> × <see cref="Columns"/> elements.
/// </summary>
/// <remarks>
/// Notation: r row, c column, k depth, s segment. The sum runs over s and k:
/// A(r, s, k) = A[r·RowStride + s·SegmentStride + k·DepthStride];
/// B(s, k, c) = B[s·PanelSegmentStride + k·PanelStride + c] within a panel of two registers' width, and the next panel stands
/// <see cref="PanelOffset"/> further (0: right beside it, as in a row-major matrix).
/// Segments exist for convolutions: one segment per kernel row, whose pixels × channels are contiguous.
/// </remarks>
internal unsafe struct Product<T>
    where T : unmanaged
{
    public T* A;
    public T* B;
    public T* C;
    public int Rows;
    public int Columns;
    public int Depth;
    public int Segments;
    public nint RowStride;
    public nint DepthStride;
    public nint SegmentStride;
    public nint PanelStride;
    public nint PanelSegmentStride;
    public nint PanelOffset;
    public nint ResultStride;
    public T Keep;
    public T Scale;

    /// <summary>Rows of B and C are padded to whole registers, B's padding with zeros; C's padding may be overwritten.</summary>
    public bool IsPadded;

    /// <summary>
    /// B has been laid out by the caller as panels, each as wide as its tiles (two registers, the last one or two) and without gaps; the
    /// panel strides are then implied. Columns must be whole registers.
    /// </summary>
    public bool IsPacked;
}
