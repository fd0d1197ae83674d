using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Cli.Clients;
using Federated.Client.Transport;
using Federated.Protocol;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;

namespace Federated.Cli.Serving;

/// <summary>An operator's side of a coordinator's HTTP API.</summary>
internal sealed class CoordinatorApi : IDisposable
{
    private readonly HttpClient http;
    private readonly HttpMessageHandler handler;

    private CoordinatorApi(HttpClient http, HttpMessageHandler handler) => (this.http, this.handler) = (http, handler);

    public Uri Url => http.BaseAddress!;

    /// <summary>Connects with a token: the one that was given, <c>$FED_TOKEN</c>, or what a coordinator on this machine left for its user.</summary>
    public static CoordinatorApi Open(CoordinatorOptionsOf options)
    {
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new CommandException(ExitCodes.Usage, $"'{options.Url}' is no address of a coordinator; {LocalCoordinator.DefaultUrl} would be one.");
        }

        var token = options.Token ?? LocalCoordinator.Find(url)?.OperatorToken ?? throw new CommandException(
            ExitCodes.Usage,
            url.IsLoopback
                ? $"No coordinator of this user listens on {url.GetLeftPart(UriPartial.Authority)}: start one with fed serve, or give --token."
                : "A coordinator on another machine needs a token: --token, or $FED_TOKEN. Its operator makes one with fed tokens create.");
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (options.Authority is { Length: > 0 } file)
        {
            handler.SslOptions.CertificateChainPolicy = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
            {
                TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
                RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(Pem.Roots(file));
        }

        var http = new HttpClient(handler) { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        http.DefaultRequestHeaders.Add(ProtocolVersion.Header, "1");
        return new CoordinatorApi(http, handler);
    }

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> form, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation).ConfigureAwait(false);
        return await ReadAsync(response, form, cancellation).ConfigureAwait(false);
    }

    public async Task<string> GetTextAsync(string path, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation).ConfigureAwait(false);
        return await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
    }

    public async Task<TReply> PostAsync<TRequest, TReply>(string path, TRequest body, JsonTypeInfo<TRequest> form, JsonTypeInfo<TReply> reply, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(body, form) }, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, reply, cancellation).ConfigureAwait(false);
    }

    public async Task PostAsync<TRequest>(string path, TRequest body, JsonTypeInfo<TRequest> form, CancellationToken cancellation) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(body, form) }, cancellation).ConfigureAwait(false)).Dispose();

    public async Task DeleteAsync(string path, CancellationToken cancellation) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), cancellation).ConfigureAwait(false)).Dispose();

    /// <summary>Downloads into a file, whole or not at all; goes on where an earlier try was cut off.</summary>
    /// <returns>The version that it is, when the address was a version's.</returns>
    public async Task<string> DownloadAsync(string path, string file, CancellationToken cancellation)
    {
        var part = file + ".part";
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        var (have, tag) = (File.Exists(part) ? new FileInfo(part).Length : 0, File.Exists(part + ".etag") ? await File.ReadAllTextAsync(part + ".etag", cancellation).ConfigureAwait(false) : "");
        if (have > 0 && EntityTagHeaderValue.TryParse(tag, out var known))
        {
            request.Headers.Range = new RangeHeaderValue(have, null);
            request.Headers.IfRange = new RangeConditionHeaderValue(known);
        }

        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        var isRest = response.StatusCode == System.Net.HttpStatusCode.PartialContent;
        await File.WriteAllTextAsync(part + ".etag", response.Headers.ETag?.ToString() ?? "", cancellation).ConfigureAwait(false);
        var target = new FileStream(part, isRest ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using (target.ConfigureAwait(false))
        {
            await response.Content.CopyToAsync(target, cancellation).ConfigureAwait(false);
        }

        await using (var whole = File.OpenRead(part))
        {
            var digest = Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(whole, cancellation).ConfigureAwait(false));
            if (response.Headers.ETag is { } sent && sent.Tag.Trim('"') != digest)
            {
                File.Delete(part);
                throw new CommandException(ExitCodes.Environment, $"What came is not what was sent: digest {sent.Tag.Trim('"')} was announced, {digest} came. Try again.");
            }
        }

        File.Move(part, file, overwrite: true);
        File.Delete(part + ".etag");
        return response.Headers.TryGetValues("Federated-Version", out var version) ? version.First() : "";
    }

    public void Dispose()
    {
        http.Dispose();
        handler.Dispose();
    }

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> form)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, form));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new CommandException(ExitCodes.Environment, $"The coordinator cannot be reached. {ConnectionFailures.Describe(new Uri(Url.GetLeftPart(UriPartial.Authority)), e)}");
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            throw new CommandException((int)response.StatusCode >= 500 ? ExitCodes.Environment : ExitCodes.Usage, Explain(response, text));
        }
    }

    private static string Explain(HttpResponseMessage response, string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, WireJson.Default.ProblemMessage) is { } problem ? $"{problem.Title}. {problem.Detail}" : text;
        }
        catch (JsonException)
        {
            return $"The coordinator answered {(int)response.StatusCode} {response.ReasonPhrase}.";
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> form, CancellationToken cancellation)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            return await JsonSerializer.DeserializeAsync(stream, form, cancellation).ConfigureAwait(false)
                ?? throw new CommandException(ExitCodes.Environment, "The coordinator answered nothing where an object is needed.");
        }
    }
}

/// <summary>Which coordinator, and with what.</summary>
/// <param name="Authority">PEM file of the authority that signed its certificate; null for those that the system trusts.</param>
internal sealed record CoordinatorOptionsOf(string Url, string? Token, string? Authority);
