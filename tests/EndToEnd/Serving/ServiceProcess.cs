namespace Federated.EndToEnd.Serving;

/// <summary><c>fed serve</c> or <c>fed shuffler</c> in a process of its own, so that it can be killed.</summary>
internal sealed class ServiceProcess : FedProcess
{
    private ServiceProcess(string[] arguments) : base(arguments)
    {
    }

    /// <param name="url">Where it listens.</param>
    /// <param name="isWaitedFor">Until it is ready; one that is not may be killed while it loads.</param>
    public static async Task<ServiceProcess> StartAsync(string url, bool isWaitedFor, params string[] arguments)
    {
        var process = new ServiceProcess([.. arguments, "--listen", url]);
        using var http = new HttpClient();
        for (var attempt = 0; isWaitedFor; attempt++)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(new Uri(url), "/readyz"));
                isWaitedFor = !answer.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            Assert.False(process.HasExited, process.Output);
            Assert.True(attempt < 3000, $"fed {arguments[0]} is not ready: {process.Output}");
            await Task.Delay(20);
        }

        return process;
    }
}
