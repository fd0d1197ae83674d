using Federated.Aggregation;
using Federated.Aggregation.Parameters;
using Federated.Client.Store;

namespace Federated.Client.Session;

/// <summary>What a client remembers between assignments, as vectors of d values by name: of its objective, and of its codec.</summary>
/// <remarks>
/// A safetensors file with one tensor of d values per vector, <c>objective/NAME</c> or <c>codec/NAME</c>. Read for each assignment and written
/// beside the update: nothing in memory can come to differ from what the coordinator has accepted.
/// </remarks>
internal static class ClientMemory
{
    public const string Objective = "objective/";
    public const string Codec = "codec/";

    /// <summary>All vectors; empty when there is no memory yet.</summary>
    /// <exception cref="ClientException">The memory is of another model.</exception>
    public static Dictionary<string, ReadOnlyMemory<float>> Read(IRunStore store, int dimension)
    {
        var vectors = new Dictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal);
        using var stream = store.OpenMemory();
        if (stream is null)
        {
            return vectors;
        }

        try
        {
            var reader = SafetensorsReader.Open(stream);
            foreach (var tensor in reader.Header.Tensors)
            {
                var values = new float[dimension];
                reader.Read<float>(ParameterLayout.Of((tensor.Name, [dimension])), values, ignoreOthers: true);
                vectors.Add(tensor.Name, values);
            }
        }
        catch (AggregationException e)
        {
            throw new ClientException($"What this client remembers of the run does not fit its model of {dimension} parameters: {e.Message} Remove the run's folder from the client's state.", e);
        }

        return vectors;
    }

    /// <summary>The vectors of one owner, without its prefix.</summary>
    public static Dictionary<string, ReadOnlyMemory<float>> Of(IReadOnlyDictionary<string, ReadOnlyMemory<float>> vectors, string owner) =>
        vectors.Where(v => v.Key.StartsWith(owner, StringComparison.Ordinal)).ToDictionary(v => v.Key[owner.Length..], v => v.Value, StringComparer.Ordinal);

    public static Action<Stream>? Writer(IEnumerable<KeyValuePair<string, ReadOnlyMemory<float>>> vectors)
    {
        var writer = new SafetensorsWriter();
        var any = false;
        foreach (var (name, values) in vectors.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            writer.Add(ParameterLayout.Of((name, [values.Length])), values);
            any = true;
        }

        return any ? writer.WriteTo : null;
    }
}
