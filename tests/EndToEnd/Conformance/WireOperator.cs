using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Coordinator;
using Federated.EndToEnd.Cluster;
using Federated.Protocol;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;

namespace Federated.EndToEnd.Conformance;

/// <summary>An operator who asks whichever coordinator answers, another one each time.</summary>
internal sealed class WireOperator(IReadOnlyList<SiloProcess> processes) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly HttpClient http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }) { Timeout = TimeSpan.FromSeconds(100) };
    private int turn;

    /// <returns>Null when there is no such run.</returns>
    /// <exception cref="CoordinatorException">The coordinator refused, with its own words.</exception>
    public async Task<T?> AskAsync<T>(HttpMethod method, string path, HttpContent? body, JsonTypeInfo<T> form)
        where T : class
    {
        using var answer = await SendAsync(method, path, body);
        return answer is null ? null : JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), form);
    }

    public static HttpContent Json<T>(T body, JsonTypeInfo<T> form) =>
        new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, form)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>Sends a request until somebody answers it; one that a dying process leaves unanswered is repeated elsewhere.</summary>
    /// <returns>Null when there is no such run.</returns>
    public async Task<HttpResponseMessage?> SendAsync(HttpMethod method, string path, HttpContent? body)
    {
        using var limit = new CancellationTokenSource(Patience);
        var content = body is null ? null : await body.ReadAsByteArrayAsync(limit.Token);
        for (var problem = ""; ; await Task.Delay(20, CancellationToken.None))
        {
            var process = processes[(int)((uint)Interlocked.Increment(ref turn) % processes.Count)];
            Assert.False(limit.IsCancellationRequested, $"Nobody answers {method} {path}: {problem}\n{string.Join('\n', processes.Select(p => p.Log))}");
            if (LocalCoordinator.Find(process.Url) is not { } local)
            {
                continue;
            }

            using var request = new HttpRequestMessage(method, new Uri(process.Url, path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", local.OperatorToken);
            request.Headers.Add(ProtocolVersion.Header, "1");
            if (content is not null)
            {
                request.Content = new ByteArrayContent(content) { Headers = { ContentType = body!.Headers.ContentType } };
            }

            try
            {
                var answer = await http.SendAsync(request, limit.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return answer;
                }

                using (answer)
                {
                    var words = await answer.Content.ReadAsStringAsync(limit.Token);
                    switch (answer.StatusCode)
                    {
                        case HttpStatusCode.NotFound when words.Contains("run-unknown", StringComparison.Ordinal):
                            return null;
                        case HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized:
                            problem = words; // Unauthorized: a process that has just begun leaves its tokens after it listens.
                            continue;
                        default:
                            throw new CoordinatorException(JsonSerializer.Deserialize(words, WireJson.Default.ProblemMessage) is { } said ? $"{said.Title}. {said.Detail}" : words);
                    }
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                problem = e.Message;
            }
        }
    }

    public void Dispose() => http.Dispose();
}
