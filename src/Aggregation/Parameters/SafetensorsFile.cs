using System.Numerics;

namespace Federated.Aggregation.Parameters;

/// <summary>Safetensors files on disk in one call; streams are for <see cref="SafetensorsReader"/> and <see cref="SafetensorsWriter"/>.</summary>
public static class SafetensorsFile
{
    /// <summary>Reads the whole file as one vector in the layout that the file itself describes.</summary>
    /// <exception cref="AggregationException">The file is malformed, or holds tensors that are not floating point.</exception>
    public static (ParameterLayout Layout, T[] Values) Read<T>(string path)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var stream = File.OpenRead(path);
        var reader = SafetensorsReader.Open(stream);
        var layout = reader.Header.ToLayout();

        // The reader has compared the header with the file's length, so that this allocates what is really there.
        var values = new T[layout.Count];
        reader.Read<T>(layout, values);
        return (layout, values);
    }

    /// <summary>Reads the whole file as one vector of a known layout.</summary>
    /// <exception cref="AggregationException">The file is malformed or another model's.</exception>
    public static void Read<T>(string path, ParameterLayout layout, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var stream = File.OpenRead(path);
        SafetensorsReader.Open(stream).Read(layout, destination);
    }

    /// <summary>Writes one vector, beside the target first and then renamed, so that no reader ever meets half a file.</summary>
    public static void Write<T>(string path, ParameterLayout layout, ReadOnlyMemory<T> values, ElementType type = ElementType.F32)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Write(path, new SafetensorsWriter().Add(layout, values, type));

    /// <summary>Writes what <paramref name="writer"/> holds, beside the target first and then renamed.</summary>
    public static void Write(string path, SafetensorsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var partial = path + ".partial";
        try
        {
            using (var stream = File.Create(partial))
            {
                writer.WriteTo(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }
}
