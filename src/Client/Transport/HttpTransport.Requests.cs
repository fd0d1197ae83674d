using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Protocol;

namespace Federated.Client.Transport;

/// <content>One request and its reply: whom to ask, what to make of the answer, and how much of it is read at all.</content>
public sealed partial class HttpTransport
{
    private async ValueTask<TReply> PostAsync<TReply>(string path, HttpContent body, JsonTypeInfo<TReply> type, bool isOpen, CancellationToken cancellation)
        where TReply : class
    {
        using var response = await SendAsync(HttpMethod.Post, path, body, isOpen, null, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, type, cancellation).ConfigureAwait(false);
    }

    /// <summary>Sends a request to where the coordinator is believed to be; anything but success is thrown as a problem.</summary>
    private async ValueTask<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? body, bool isOpen, Action<HttpRequestHeaders>? headers, CancellationToken cancellation, IdleGuard? idle = null)
    {
        var address = await AddressAsync(cancellation).ConfigureAwait(false);
        using var request = new HttpRequestMessage(method, new Uri(address, path)) { Content = body };
        request.Headers.Add(ProtocolVersion.Header, Version.ToString(CultureInfo.InvariantCulture));
        request.Headers.Authorization = !isOpen && AccessToken is { } token ? new AuthenticationHeaderValue("Bearer", token) : null;
        headers?.Invoke(request.Headers);
        HttpResponseMessage? response = null;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, idle?.Token ?? cancellation).ConfigureAwait(false);
            idle?.Moved();
            NoteTime(response);
            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            var text = await ReadBoundedAsync(response, ProblemReader.MaxBytes, cancellation).ConfigureAwait(false);
            var problem = ProblemReader.Read(response, text, clock.GetUtcNow());
            response.Dispose();
            if (problem.Status is 502 or 503 or 504)
            {
                Leave(address);
            }

            throw ClientException.Of(problem);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            response?.Dispose();
            Leave(address);
            throw Broken(address, e);
        }
    }

    private static async ValueTask<TReply> ReadAsync<TReply>(HttpResponseMessage response, JsonTypeInfo<TReply> type, CancellationToken cancellation)
        where TReply : class
    {
        try
        {
            var body = await ReadBoundedAsync(response, MaxReply, cancellation).ConfigureAwait(false);
            return JsonSerializer.Deserialize(body.Span, type) ?? throw Garbled(response, "null");
        }
        catch (JsonException e)
        {
            // A hotel's login page, for example: the coordinator may be reached later.
            throw Garbled(response, e.Message);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Broken(response.RequestMessage?.RequestUri, e);
        }
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ReadBoundedAsync(HttpResponseMessage response, int limit, CancellationToken cancellation)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var bytes = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            var read = await stream.ReadAsync(bytes.GetMemory(4096), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return bytes.WrittenMemory;
            }

            bytes.Advance(read);
            if (bytes.WrittenCount > limit)
            {
                throw Garbled(response, $"more than {limit} bytes");
            }
        }
    }

    private static async ValueTask CopyAsync(HttpResponseMessage response, Stream destination, long length, IdleGuard idle)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(idle.Token).ConfigureAwait(false);
            for (int read; (read = await stream.ReadAsync(buffer, idle.Token).ConfigureAwait(false)) > 0; idle.Moved())
            {
                if (destination.Position + read > length)
                {
                    throw Garbled(response, $"more than the {length} bytes of the blob");
                }

                await destination.WriteAsync(buffer.AsMemory(0, read), idle.Token).ConfigureAwait(false);
            }

            await destination.FlushAsync(idle.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException || (e is OperationCanceledException && !idle.Outer.IsCancellationRequested))
        {
            throw Broken(response.RequestMessage?.RequestUri, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<Uri> AddressAsync(CancellationToken cancellation)
    {
        lock (sync)
        {
            if (at < addresses.Count)
            {
                return addresses[at];
            }
        }

        var resolved = await options.Endpoints.ResolveAsync(cancellation).ConfigureAwait(false);
        lock (sync)
        {
            (addresses, at) = (resolved, 0);
            return resolved[0];
        }
    }

    /// <summary>The address did not answer: the next one is tried, and after the last they are looked up again.</summary>
    private void Leave(Uri address)
    {
        lock (sync)
        {
            if (at < addresses.Count && addresses[at] == address)
            {
                at++;
            }
        }
    }

    private void NoteTime(HttpResponseMessage response)
    {
        if (response.Headers.Date is { } date)
        {
            Interlocked.Exchange(ref skewTicks, (date - clock.GetUtcNow()).Ticks);
        }
    }

    private static ClientException Broken(Uri? address, Exception e) => ClientException.Of(
        new Problem(0, "", e is OperationCanceledException ? $"The transfer with {address} stood still." : ConnectionFailures.Describe(address, e)), e);

    private static ClientException Garbled(HttpResponseMessage response, string what) => ClientException.Of(
        new Problem(0, "", $"The reply from {response.RequestMessage?.RequestUri} is not as docs/protocol.md says: {what}."));
}
