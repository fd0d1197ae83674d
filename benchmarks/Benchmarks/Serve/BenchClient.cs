using System.Buffers.Text;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Protocol;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;

namespace Federated.Benchmarks.Serve;

/// <summary>A client by docs/protocol.md that does no training: as much load as a core can make.</summary>
internal sealed class BenchClient(HttpClient http, string run)
{
    private string token = "";

    public static HttpClient Connect(Uri url) => new(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue, PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan, UseProxy = false, UseCookies = false })
    {
        BaseAddress = url,
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { { ProtocolVersion.Header, "1" } },
    };

    public async Task EnrolAsync(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var local = LocalCoordinator.Find(http.BaseAddress!)!;
        var enrolled = await PostAsync(
            "/v1/clients", JsonSerializer.SerializeToUtf8Bytes(new EnrolmentRequest(local.EnrolmentToken, Base64Url.EncodeToString(key.ExportSubjectPublicKeyInfo()), name), WireJson.Default.EnrolmentRequest), "application/json");
        var reply = JsonSerializer.Deserialize(enrolled, WireJson.Default.EnrolmentReply)!;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var jti = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        var signed = Encode($$"""{"alg":"ES256","typ":"JWT","kid":"{{reply.Client}}"}""") + "."
            + Encode($$"""{"iss":"{{reply.Client}}","sub":"{{reply.Client}}","aud":"{{reply.Coordinator}}","iat":{{now}},"exp":{{now + 300}},"jti":"{{jti}}"}""");
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        var exchanged = await PostAsync(
            "/v1/tokens", JsonSerializer.SerializeToUtf8Bytes(new TokenRequest($"{signed}.{Base64Url.EncodeToString(signature)}"), WireJson.Default.TokenRequest), "application/json");
        token = JsonSerializer.Deserialize(exchanged, WireJson.Default.TokenReply)!.AccessToken;
    }

    public async Task<CheckInReply> CheckInAsync(double wait) => JsonSerializer.Deserialize(
        await PostAsync($"/v1/runs/{run}/check-ins", JsonSerializer.SerializeToUtf8Bytes(new CheckInRequest(1, wait), WireJson.Default.CheckInRequest), "application/json"),
        WireJson.Default.CheckInReply)!;

    /// <summary>Sends updates, one after the other, each answered with the next assignment.</summary>
    /// <param name="downloads">Whether each assignment's model is fetched first, as if it were in no cache.</param>
    /// <returns>Updates acknowledged, and bytes sent and received.</returns>
    public async Task<(long Updates, long Up, long Down)> LoadAsync(byte[] delta, bool downloads, Func<bool> goesOn)
    {
        var declaration = new UpdateDeclaration
        {
            Delta = new BlobReference(Convert.ToHexStringLower(SHA256.HashData(delta)), delta.Length), Examples = 1, LocalSteps = 1, Ready = true,
        };
        var envelope = UpdateEnvelope.Encode(declaration, delta);
        var (updates, up, down) = (0L, 0L, 0L);
        AssignmentMessage? assignment = null;
        var buffer = new byte[256 << 10];
        while (goesOn())
        {
            while (assignment is null && goesOn())
            {
                assignment = (await CheckInAsync(5)).Assignment;
            }

            if (assignment is null)
            {
                break;
            }

            if (downloads)
            {
                down += await DownloadAsync(assignment.Model, buffer);
            }

            var reply = await PostAsync($"/v1/runs/{run}/assignments/{assignment.Id.ToString(CultureInfo.InvariantCulture)}/update", envelope, UpdateEnvelope.ContentType);
            var outcome = JsonSerializer.Deserialize(reply, WireJson.Default.UpdateOutcomeMessage)!;
            if (!outcome.Accepted)
            {
                throw new InvalidOperationException($"An update was refused: {outcome.Reason} {outcome.Detail}");
            }

            updates++;
            up += envelope.Length;
            assignment = outcome.Next?.Assignment;
        }

        return (updates, up, down);
    }

    /// <summary>One resumable upload of so many bytes, made up as they go.</summary>
    public async Task UploadAsync(long length)
    {
        var assignment = (await CheckInAsync(20)).Assignment!;
        var piece = new byte[1 << 20];
        RandomNumberGenerator.Fill(piece);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var sent = 0L; sent < length; sent += piece.Length)
        {
            hash.AppendData(piece);
        }

        var declaration = new UpdateDeclaration { Delta = new BlobReference(Convert.ToHexStringLower(hash.GetHashAndReset()), length), Examples = 1, LocalSteps = 1 };
        var path = $"/v1/runs/{run}/assignments/{assignment.Id.ToString(CultureInfo.InvariantCulture)}/update";
        var json = JsonSerializer.SerializeToUtf8Bytes(declaration, WireJson.Default.UpdateDeclaration);
        var location = JsonSerializer.Deserialize(await PostAsync(path, json, "application/json"), WireJson.Default.UpdateReply)!.Uploads[declaration.Delta.Sha256];
        const long chunk = 64 << 20;
        for (var offset = 0L; offset < length; offset += chunk)
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, location) { Content = new StreamContent(new Repeated(piece, Math.Min(chunk, length - offset)), 256 << 10) };
            request.Content.Headers.ContentLength = Math.Min(chunk, length - offset);
            request.Headers.Add("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var response = await http.SendAsync(request);
            response.EnsureSuccessStatusCode();
        }

        var reply = JsonSerializer.Deserialize(await PostAsync(path, json, "application/json"), WireJson.Default.UpdateReply)!;
        if (reply.Outcome is not { Accepted: true })
        {
            throw new InvalidOperationException("The uploaded update was not accepted.");
        }
    }

    private async Task<long> DownloadAsync(BlobReference model, byte[] buffer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/blobs/{model.Sha256}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await using var stream = await response.Content.ReadAsStreamAsync();
        var total = 0L;
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
        {
            total += read;
        }

        return total;
    }

    private async Task<byte[]> PostAsync(string path, byte[] body, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        if (token.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        using var response = await http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode ? bytes : throw new InvalidOperationException($"{path}: {(int)response.StatusCode} {Encoding.UTF8.GetString(bytes)}");
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    public static byte[] Delta(int parameters)
    {
        using var bytes = new MemoryStream();
        new SafetensorsWriter().Add<float>(ParameterLayout.Of(("w", [parameters])), new float[parameters], ElementType.F32).WriteTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The same piece again and again.</summary>
    private sealed class Repeated(byte[] piece, long length) : Stream
    {
        private long position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => position;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var at = (int)(position % piece.Length);
            var count = (int)Math.Min(Math.Min(buffer.Length, piece.Length - at), length - position);
            piece.AsSpan(at, count).CopyTo(buffer);
            position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
