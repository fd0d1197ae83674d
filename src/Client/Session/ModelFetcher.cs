using System.Globalization;
using Federated.Aggregation;
using Federated.Aggregation.Parameters;
using Federated.Client.Store;
using Federated.Protocol;

namespace Federated.Client.Session;

/// <summary>Blobs from the cache, or from the coordinator by way of the cache; a broken download goes on where it stopped.</summary>
internal sealed class ModelFetcher(Caller caller, IModelCache cache)
{
    /// <summary>Downloads whose bytes had another digest, before that is taken for a defect of the coordinator.</summary>
    private const int Attempts = 3;

    /// <summary>A model and its layout, as the file's own order gives it.</summary>
    public async Task<(ParameterLayout Layout, float[] Values)> FetchModelAsync(BlobReference blob, CancellationToken cancellation)
    {
        using var stream = await FetchAsync(blob, cancellation);
        try
        {
            var reader = SafetensorsReader.Open(stream);
            var layout = ParameterLayout.Of([.. reader.Header.Tensors.Select(tensor => (tensor.Name, Shape(tensor)))]);
            var values = new float[layout.Count];
            reader.Read<float>(layout, values);
            return (layout, values);
        }
        catch (AggregationException e)
        {
            throw new ClientException($"The model {blob.Sha256} from the coordinator cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A vector of d values under the model's names.</summary>
    public async Task<float[]> FetchVectorAsync(string name, BlobReference blob, ParameterLayout layout, CancellationToken cancellation)
    {
        using var stream = await FetchAsync(blob, cancellation);
        try
        {
            var values = new float[layout.Count];
            SafetensorsReader.Open(stream).Read<float>(layout, values);
            return values;
        }
        catch (AggregationException e)
        {
            throw new ClientException($"The vector '{name}' ({blob.Sha256}) from the coordinator cannot be read: {e.Message}", e);
        }
    }

    private async Task<Stream> FetchAsync(BlobReference blob, CancellationToken cancellation)
    {
        using var gate = await cache.EnterAsync(blob.Sha256, cancellation);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (cache.Open(blob) is { } there)
            {
                return there;
            }

            await caller.CallAsync(
                "download",
                Timeout.InfiniteTimeSpan,
                async (transport, c) =>
                {
                    using var partial = cache.OpenPartial(blob);
                    await transport.DownloadAsync(blob, partial, c);
                },
                cancellation);
            cache.Complete(blob);
        }

        return cache.Open(blob) ?? throw new ClientException(
            string.Create(CultureInfo.InvariantCulture, $"Blob {blob.Sha256} of {blob.Length} bytes came {Attempts} times with other bytes; the coordinator's store is damaged, or a proxy changes what it passes on."));
    }

    private static int[] Shape(SafetensorsTensor tensor) =>
        [.. tensor.Shape.Select(extent => extent <= int.MaxValue ? (int)extent : throw new AggregationException($"Tensor {tensor} is larger than memory."))];
}
