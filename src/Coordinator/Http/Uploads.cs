using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Http;

/// <summary>Blobs that arrive in pieces: each is a file that grows, so that what came before a broken connection or a restart is kept.</summary>
/// <remarks>
/// <c>uploads/ID.json</c> says what is to come and from whom, <c>uploads/ID.part</c> is what came. The digest is computed on the way in; after
/// a restart, once over what is there; a store of files then takes the file as it is, any other a copy. Memory: one buffer per request.
/// </remarks>
internal sealed class Uploads
{
    private readonly string folder;
    private readonly IBlobStore blobs;
    private readonly TimeProvider clock;
    private readonly long maxBytes;
    private readonly ConcurrentDictionary<string, Upload> open = new(StringComparer.Ordinal);
    private long reserved;

    public Uploads(string folder, IBlobStore blobs, TimeProvider clock, long maxBytes)
    {
        (this.folder, this.blobs, this.clock, this.maxBytes) = (folder, blobs, clock, maxBytes);
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.EnumerateFiles(folder, "*.json"))
        {
            try
            {
                var ticket = JsonSerializer.Deserialize(File.ReadAllBytes(path), UploadJson.Default.UploadTicket)!;
                Add(ticket);
            }
            catch (JsonException)
            {
                File.Delete(path); // Torn while it was written: nobody was told of it.
            }
        }
    }

    /// <summary>Uploads that are not finished.</summary>
    public int Count => open.Count;

    public Upload? Find(string id) => open.GetValueOrDefault(id);

    /// <summary>The upload by which a client's blob for an assignment comes; the same one when it is asked for again.</summary>
    /// <returns>Null when the disk holds as many unfinished uploads as it may.</returns>
    public Upload? Begin(string client, string run, AssignmentId assignment, BlobReference blob)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{client}/{run}/{assignment.Value}/{blob.Sha256}/{blob.Length}")))[..32];
        if (open.TryGetValue(id, out var known))
        {
            return known;
        }

        if (Interlocked.Read(ref reserved) + blob.Length > maxBytes)
        {
            return null;
        }

        var ticket = new UploadTicket(id, client, blob.Sha256, blob.Length);
        var path = Path.Combine(folder, $"{id}.json");
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(ticket, UploadJson.Default.UploadTicket));
        File.Move(path + ".new", path, overwrite: true);
        return Add(ticket);
    }

    /// <summary>Throws away what nobody has added to for so long.</summary>
    public void Forget(TimeSpan idle)
    {
        foreach (var upload in open.Values)
        {
            if (clock.GetUtcNow() - upload.LastTouched <= idle || !upload.TryEnter())
            {
                continue;
            }

            try
            {
                Remove(upload);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nobody can add to it any more; its files are found again at the next start.
            }
        }
    }

    /// <summary>Takes a whole upload over into the blob store and forgets it.</summary>
    public async Task CommitAsync(Upload upload, CancellationToken cancellation)
    {
        var path = upload.PartPath;
        upload.CloseFile();
        if (await blobs.TryTakeOverAsync(path, upload.Blob, cancellation).ConfigureAwait(false) is { } taken)
        {
            Remove(upload);
            await taken.DisposeAsync().ConfigureAwait(false);
            return;
        }

        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, useAsync: true);
        await using (file.ConfigureAwait(false))
        {
            await using var writer = await blobs.CreateAsync(cancellation).ConfigureAwait(false);
            var buffer = new byte[256 << 10];
            for (int read; (read = await file.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
            {
                await writer.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            }

            await writer.CommitAsync(upload.Blob, cancellation).ConfigureAwait(false);
        }

        Remove(upload);
    }

    private Upload Add(UploadTicket ticket)
    {
        var upload = new Upload(ticket, Path.Combine(folder, $"{ticket.Id}.part"), clock);
        if (!open.TryAdd(ticket.Id, upload))
        {
            return open[ticket.Id];
        }

        Interlocked.Add(ref reserved, ticket.Length);
        return upload;
    }

    private void Remove(Upload upload)
    {
        if (open.TryRemove(upload.Id, out _))
        {
            Interlocked.Add(ref reserved, -upload.Blob.Length);
            upload.CloseFile();
            File.Delete(upload.PartPath);
            File.Delete(Path.Combine(folder, $"{upload.Id}.json"));
        }
    }
}

/// <summary>What is to come, and from whom.</summary>
internal sealed record UploadTicket(string Id, string Client, string Sha256, long Length);

[JsonSerializable(typeof(UploadTicket))]
internal sealed partial class UploadJson : JsonSerializerContext;
