namespace Federated.Client.Transport;

/// <summary>The usual ways to know where the coordinator is.</summary>
public static class Endpoints
{
    /// <summary>A fixed list, tried in order.</summary>
    public static IEndpoints Of(params IReadOnlyList<Uri> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        return addresses.Count == 0
            ? throw new ClientException("No address of a coordinator is given; at least one is needed.")
            : new Fixed([.. addresses.Select(Checked)]);
    }

    /// <summary>A text file with an address per line, read anew whenever the last ones did not answer: whoever moves the coordinator writes it.</summary>
    public static IEndpoints FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new InFile(path);
    }

    private static Uri Checked(Uri address) => address is { IsAbsoluteUri: true, Scheme: "http" or "https" }
        ? address
        : throw new ClientException($"'{address}' is no address of a coordinator; it must begin with http:// or https://.");

    private sealed class Fixed(IReadOnlyList<Uri> addresses) : IEndpoints
    {
        public ValueTask<IReadOnlyList<Uri>> ResolveAsync(CancellationToken cancellation) => ValueTask.FromResult(addresses);
    }

    private sealed class InFile(string path) : IEndpoints
    {
        public async ValueTask<IReadOnlyList<Uri>> ResolveAsync(CancellationToken cancellation)
        {
            string[] lines;
            try
            {
                lines = await File.ReadAllLinesAsync(path, cancellation);
            }
            catch (IOException e)
            {
                // It may be about to be written: as good as a coordinator that does not answer.
                throw ClientException.Of(new Problem(0, "", $"The file of addresses {path} cannot be read: {e.Message}"), e);
            }

            var addresses = lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')
                .Select(line => Uri.TryCreate(line, UriKind.Absolute, out var address) ? Checked(address) : throw new ClientException($"{path}: '{line}' is no address."))
                .ToList();
            return addresses.Count > 0 ? addresses : throw ClientException.Of(new Problem(0, "", $"The file of addresses {path} is empty."));
        }
    }
}
