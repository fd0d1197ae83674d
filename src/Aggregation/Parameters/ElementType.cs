namespace Federated.Aggregation.Parameters;

/// <summary>How one parameter is stored in a file or on the wire; names and bytes are safetensors'.</summary>
public enum ElementType
{
    /// <summary>IEEE 754 binary32; exact for float parameters, and the default everywhere.</summary>
    F32,

    /// <summary>IEEE 754 binary64; for checkpoints of double state.</summary>
    F64,

    /// <summary>IEEE 754 binary16: 11 significant bits, largest value 65,504.</summary>
    F16,

    /// <summary>bfloat16: 8 significant bits over the whole range of binary32.</summary>
    BF16,
}

/// <summary>Sizes and names of <see cref="ElementType"/>.</summary>
public static class ElementTypes
{
    /// <summary>Bytes per element.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.F64 => 8,
        ElementType.F32 => 4,
        ElementType.F16 or ElementType.BF16 => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an element type."),
    };

    /// <summary>Largest finite magnitude that <paramref name="type"/> holds.</summary>
    public static double Largest(this ElementType type) => type switch
    {
        ElementType.F64 => double.MaxValue,
        ElementType.F32 => float.MaxValue,
        ElementType.F16 => 65504.0,
        ElementType.BF16 => 255.0 / 128.0 * Math.ScaleB(1.0, 127),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an element type."),
    };

    /// <summary>The element type that safetensors calls <paramref name="name"/>; false for integers, booleans and 8-bit floats.</summary>
    public static bool TryParse(string name, out ElementType type)
    {
        (var known, type) = name switch
        {
            "F32" => (true, ElementType.F32),
            "F64" => (true, ElementType.F64),
            "F16" => (true, ElementType.F16),
            "BF16" => (true, ElementType.BF16),
            _ => (false, default),
        };
        return known;
    }
}
