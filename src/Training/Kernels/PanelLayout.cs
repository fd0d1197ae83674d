using System.Numerics;

namespace Federated.Training.Kernels;

/// <summary>Where element (depth k, column c) of a matrix stands when it is laid out as panels for <see cref="MatrixMultiply"/>.</summary>
/// <param name="depth">Rows of the matrix, all segments together.</param>
/// <param name="columns">Columns, a whole number of registers.</param>
internal readonly struct PanelLayout<T>(int depth, int columns)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int full = 2 * Padding.RegisterLength<T>();

    public int Columns => columns;

    public int Length => depth * columns;

    /// <summary>Elements from one panel to the next.</summary>
    public int PanelOffset => depth * full;

    public int Panels => (columns + full - 1) / full;

    public int FirstColumn(int panel) => panel * full;

    public int PanelWidth(int panel) => Math.Min(full, columns - (panel * full));

    public int IndexOf(int k, int column)
    {
        var panel = column / full;
        return (panel * PanelOffset) + (k * PanelWidth(panel)) + column - (panel * full);
    }
}
