namespace Federated.Training.Data.Loading;

/// <summary>Bytes of pictures as numbers: level/255, correctly rounded, as NumPy and PyTorch give it.</summary>
internal static class GreyLevels
{
    private static readonly float[] Unit = [.. Enumerable.Range(0, 256).Select(level => level / 255f)];

    public static void ToUnit(ReadOnlySpan<byte> levels, Span<float> target)
    {
        for (var i = 0; i < levels.Length; i++)
        {
            target[i] = Unit[levels[i]];
        }
    }
}
