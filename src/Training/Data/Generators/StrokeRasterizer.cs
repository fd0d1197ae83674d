using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Training.Data.Generators;

/// <summary>
/// Draws line segments with a round pen into a small greyscale square: the ink at a pixel depends on its distance to the nearest
/// segment, full within the pen's radius and fading linearly over the blur beyond it.
/// </summary>
/// <remarks>
/// Cost: O(segments × rows they reach × row) with one vector per 8 or so pixels; plain multiplications and additions only (never fused),
/// so that every machine draws the same bits. Not thread-safe: one instance per thread.
/// </remarks>
internal sealed class StrokeRasterizer
{
    private readonly int size;
    private readonly int stride;
    private readonly float[] squaredDistance;
    private readonly float[] columns;

    public StrokeRasterizer(int size)
    {
        this.size = size;
        stride = (size + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
        squaredDistance = new float[size * stride];
        columns = new float[stride];
        for (var x = 0; x < stride; x++)
        {
            columns[x] = x + 0.5f;
        }
    }

    /// <summary>Forgets all segments.</summary>
    public void Clear() => squaredDistance.AsSpan().Fill(float.MaxValue);

    /// <param name="a">One end, in pixels, x to the right and y downwards.</param>
    /// <param name="b">The other end.</param>
    /// <param name="reach">Distance in pixels beyond which the segment leaves no ink.</param>
    public void Segment(Vector2 a, Vector2 b, float reach)
    {
        var first = Math.Max(0, (int)MathF.Floor(MathF.Min(a.Y, b.Y) - reach));
        var last = Math.Min(size - 1, (int)MathF.Ceiling(MathF.Max(a.Y, b.Y) + reach));
        var left = Math.Max(0, (int)MathF.Floor(MathF.Min(a.X, b.X) - reach)) / Vector<float>.Count * Vector<float>.Count;
        var right = Math.Min(stride - 1, (int)MathF.Ceiling(MathF.Max(a.X, b.X) + reach));

        var direction = b - a;
        var lengthSquared = direction.LengthSquared();
        var scale = lengthSquared > 1e-12f ? 1f / lengthSquared : 0f;
        var (dx, dy) = (new Vector<float>(direction.X), new Vector<float>(direction.Y));
        var sx = new Vector<float>(direction.X * scale);
        for (var y = first; y <= last; y++)
        {
            var offsetY = y + 0.5f - a.Y;
            var along = new Vector<float>(offsetY * direction.Y * scale);
            var vertical = new Vector<float>(offsetY);
            var row = MemoryMarshal.Cast<float, Vector<float>>(squaredDistance.AsSpan(y * stride, stride));
            for (var x = left; x <= right; x += Vector<float>.Count)
            {
                var offset = new Vector<float>(columns, x) - new Vector<float>(a.X);
                var t = Vector.Min(Vector.Max((offset * sx) + along, Vector<float>.Zero), Vector<float>.One);
                var across = offset - (t * dx);
                var down = vertical - (t * dy);
                ref var nearest = ref row[x / Vector<float>.Count];
                nearest = Vector.Min(nearest, (across * across) + (down * down));
            }
        }
    }

    /// <summary>Writes size × size ink values in [0, <paramref name="ink"/>], row-major.</summary>
    /// <param name="radius">The pen's radius in pixels.</param>
    /// <param name="blur">Width in pixels over which the ink fades, half of it within the radius.</param>
    public void Render(float radius, float blur, float ink, Span<float> image)
    {
        var fade = ink / blur;
        var edge = (radius + (0.5f * blur)) * fade;
        for (var y = 0; y < size; y++)
        {
            var row = squaredDistance.AsSpan(y * stride, stride);
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(row);
            for (var i = 0; i < vectors.Length; i++)
            {
                var value = new Vector<float>(edge) - (Vector.SquareRoot(vectors[i]) * new Vector<float>(fade));
                vectors[i] = Vector.Min(Vector.Max(value, Vector<float>.Zero), new Vector<float>(ink));
            }

            row[..size].CopyTo(image.Slice(y * size, size));
        }
    }
}
