using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Federated.Protocol;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;
using Federated.Shuffler.Batches;

namespace Federated.Shuffler.Delivery;

/// <summary>Posts batches to <c>/v1/runs/{run}/batches/{id}</c>; the body is streamed from the disk.</summary>
public sealed class HttpDestination(HttpClient http, Uri destination, string name) : IDestination
{
    /// <summary>Problems after which repeating is of no use; anything else may be mended by somebody.</summary>
    private static readonly HashSet<string> Final = new(StringComparer.Ordinal) { "run-unknown", "run-state", "not-shuffled", "batch-invalid" };

    public async Task<Delivered> SendAsync(ClosedBatch batch, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(destination, $"/v1/runs/{batch.Run}/batches/{batch.Id}"))
        {
            Content = new BatchContent(batch),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.Add(BatchHeader.ShufflerHeader, name);
        request.Headers.Add(BatchHeader.SignatureHeader, Base64Url.EncodeToString(batch.Signature.Span));
        request.Headers.Add(ProtocolVersion.Header, "1");
        try
        {
            using var response = await http.SendAsync(request, cancellation).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                return new Delivered(DeliveryOutcome.Taken, "");
            }

            var text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            var (type, detail) = Read(text);
            var isFinal = (int)response.StatusCode is >= 400 and < 500 && Final.Contains(type);
            return new Delivered(isFinal ? DeliveryOutcome.Refused : DeliveryOutcome.Later, $"{destination} answered {(int)response.StatusCode}: {detail}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return new Delivered(DeliveryOutcome.Later, $"{destination} cannot be reached: {e.Message}");
        }
    }

    private static (string Type, string Detail) Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, WireJson.Default.ProblemMessage) is { } problem ? (problem.Type[(problem.Type.LastIndexOfAny(['/', ':', '#']) + 1)..], problem.Detail) : ("", text);
        }
        catch (JsonException)
        {
            return ("", text.Length > 200 ? text[..200] : text);
        }
    }

    private sealed class BatchContent : HttpContent
    {
        private readonly ClosedBatch batch;

        public BatchContent(ClosedBatch batch)
        {
            this.batch = batch;
            Headers.ContentType = new MediaTypeHeaderValue(BatchHeader.ContentType);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => batch.WriteAsync(stream, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => batch.WriteAsync(stream, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = batch.BodyBytes;
            return true;
        }
    }
}
