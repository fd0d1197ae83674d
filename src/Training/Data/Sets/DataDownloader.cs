using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Federated.Training.Data.Sets;

/// <summary>How far a download is.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Bytes">Bytes that are there, those of an earlier attempt included.</param>
/// <param name="Total">The file's size.</param>
/// <param name="BytesPerSecond">Mean rate of this attempt; 0 before the first bytes.</param>
/// <param name="State">What is going on.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long Total, double BytesPerSecond, DownloadState State);

/// <summary>What a download is doing.</summary>
public enum DownloadState
{
    /// <summary>Bytes arrive.</summary>
    Downloading,

    /// <summary>An address failed; the next attempt follows after a pause.</summary>
    Retrying,

    /// <summary>All bytes are there; their checksum is computed.</summary>
    Verifying,

    /// <summary>The file is in place.</summary>
    Done,

    /// <summary>The file was in place before, with the right checksum.</summary>
    AlreadyThere,
}

/// <summary>
/// Downloads the files of a known set into the data folder. A file appears under its name only whole and with the published checksum;
/// an interrupted download continues where it stopped.
/// </summary>
/// <param name="client">Performs the requests; its own timeout should be infinite, a stalled transfer is noticed here.</param>
/// <param name="time">Measures rates, pauses between attempts and stalls.</param>
public sealed class DataDownloader(HttpClient client, TimeProvider time)
{
    private const int BufferSize = 128 * 1024;

    /// <value>How often every address of a file is tried. The default is 3.</value>
    public int Attempts { get; init; } = 3;

    /// <value>Pause before the second attempt; it doubles from then on. The default is 1 s.</value>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <value>A transfer that brings no byte for this long has failed. The default is 60 s.</value>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Downloads what is missing of the set.</summary>
    /// <exception cref="TrainingException">No address answers, the content is not the published one, or the folder cannot be written.</exception>
    public async Task DownloadAsync(KnownDataSet set, string dataDirectory, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (set.IsGenerated)
        {
            throw new TrainingException($"Data set '{set.Name}' is generated; there is nothing to download.");
        }

        var folder = set.Folder(dataDirectory);
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var file in set.Files)
            {
                await DownloadAsync(file, Path.Combine(folder, file.Name), progress, cancellation);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"Cannot write to {Path.GetFullPath(folder)}: {e.Message} Choose another folder with --data-dir.", e);
        }
    }

    private async Task DownloadAsync(KnownFile file, string target, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (File.Exists(target))
        {
            if (await Sha256Async(target, cancellation) == file.Sha256)
            {
                progress?.Report(new DownloadProgress(file.Name, file.Bytes, file.Bytes, 0, DownloadState.AlreadyThere));
                return;
            }

            throw new TrainingException($"{Path.GetFullPath(target)} is there but is not the published file (another edition, or damaged). Move it away, or choose another folder with --data-dir.");
        }

        var part = target + ".part";
        string? failure = null;
        Exception? cause = null;
        var pause = Pause;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (attempt > 0)
            {
                progress?.Report(new DownloadProgress(file.Name, LengthOf(part), file.Bytes, 0, DownloadState.Retrying));
                await Task.Delay(pause, time, cancellation);
                pause *= 2;
            }

            foreach (var address in file.Addresses)
            {
                try
                {
                    failure = await FetchAsync(file, address, part, progress, cancellation);
                    if (failure is null)
                    {
                        File.Move(part, target);
                        progress?.Report(new DownloadProgress(file.Name, file.Bytes, file.Bytes, 0, DownloadState.Done));
                        return;
                    }
                }
                catch (Exception e) when (IsTransfer(e) && !cancellation.IsCancellationRequested)
                {
                    var reason = e is OperationCanceledException ? $"nothing arrived for {StallTimeout.TotalSeconds} s" : e.Message;
                    (failure, cause) = ($"{address.Host} cannot be reached or broke off ({reason})", e);
                }
            }
        }

        throw new TrainingException(
            $"Download of {file.Name} failed: {failure}. If this machine is offline, get {file.Addresses[0]} by other means and put it at {Path.GetFullPath(target)}.",
            cause);
    }

    /// <summary>Null when the part file is whole and verified, else what went wrong.</summary>
    private async Task<string?> FetchAsync(KnownFile file, Uri address, string part, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (LengthOf(part) >= file.Bytes)
        {
            File.Delete(part);
        }

        // A part of another file, or of another edition at a mirror, is noticed by the checksum, and the next attempt starts afresh.
        var from = LengthOf(part);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Range = from > 0 ? new RangeHeaderValue(from, null) : null;
        using var stall = new CancellationTokenSource(StallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, cancellation);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
        {
            return $"{address} answered {(int)response.StatusCode} {response.ReasonPhrase}";
        }

        var continues = response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == from;
        if (response.StatusCode == HttpStatusCode.PartialContent && !continues)
        {
            File.Delete(part);
            return $"{address} answered with another range than was asked for";
        }

        await CopyAsync(file, response, part, continues ? from : 0, progress, stall, either.Token);
        var length = LengthOf(part);
        if (length < file.Bytes)
        {
            return $"{address} broke off after {length} of {file.Bytes} bytes";
        }

        progress?.Report(new DownloadProgress(file.Name, length, file.Bytes, 0, DownloadState.Verifying));
        var sha256 = await Sha256Async(part, cancellation);
        if (length == file.Bytes && sha256 == file.Sha256)
        {
            return null;
        }

        File.Delete(part);
        return $"{address} is not the published file: {file.Bytes} bytes with SHA-256 {file.Sha256} were needed, there were {length} with {sha256}";
    }

    private async Task CopyAsync(
        KnownFile file,
        HttpResponseMessage response,
        string part,
        long from,
        IProgress<DownloadProgress>? progress,
        CancellationTokenSource stall,
        CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var buffer = new byte[BufferSize];
        await using var target = new FileStream(part, from > 0 ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.None, 0, useAsync: true);
        await using var source = await response.Content.ReadAsStreamAsync(cancellation);
        for (var bytes = from; ;)
        {
            stall.CancelAfter(StallTimeout);
            var read = await ReadAsync(source, buffer, cancellation);
            if (read == 0)
            {
                return;
            }

            bytes += read;
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
            if (bytes > file.Bytes)
            {
                // More than the file has: what comes is something else, however long it is.
                return;
            }

            var seconds = time.GetElapsedTime(started).TotalSeconds;
            progress?.Report(new DownloadProgress(file.Name, bytes, file.Bytes, seconds > 0 ? (bytes - from) / seconds : 0, DownloadState.Downloading));
        }
    }

    /// <summary>Tells a broken connection from a broken disk, which throw alike.</summary>
    private static async ValueTask<int> ReadAsync(Stream source, Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await source.ReadAsync(buffer, cancellation);
        }
        catch (IOException e)
        {
            throw new HttpRequestException(e.Message, e);
        }
    }

    private static bool IsTransfer(Exception e) => e is HttpRequestException or OperationCanceledException;

    private static long LengthOf(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static async Task<string> Sha256Async(string path, CancellationToken cancellation)
    {
        await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, useAsync: true);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation));
    }
}
