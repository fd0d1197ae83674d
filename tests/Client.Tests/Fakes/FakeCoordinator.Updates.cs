using System.Security.Cryptography;
using Federated.Client.Transport;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Fakes;

/// <content>Updates, in one request or in pieces.</content>
internal sealed partial class FakeCoordinator
{
    public ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation) =>
        Handle("declare", cancellation, true, () =>
        {
            var missing = declaration.Extras.Values.Prepend(declaration.Delta).Where(b => !blobs.ContainsKey(b.Sha256)).DistinctBy(b => b.Sha256).ToList();
            foreach (var blob in missing)
            {
                uploads.TryAdd($"/v1/uploads/{blob.Sha256}", (blob, new MemoryStream()));
            }

            return missing.Count > 0
                ? new UpdateReply(missing.ToDictionary(b => b.Sha256, b => $"/v1/uploads/{b.Sha256}"), null)
                : new UpdateReply(new Dictionary<string, string>(), Settle(assignment, declaration));
        });

    public ValueTask<UpdateOutcomeMessage> SendAsync(
        string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation) =>
        Handle("send", cancellation, true, () =>
        {
            foreach (var (blob, bytes) in declaration.Extras.Values.Prepend(declaration.Delta).Zip(parts))
            {
                Assert.Equal(blob.Sha256, Convert.ToHexStringLower(SHA256.HashData(bytes.Span)));
                blobs[blob.Sha256] = bytes.ToArray();
            }

            return Settle(assignment, declaration);
        });

    public ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation) => Handle("offset", cancellation, true, () =>
        uploads.TryGetValue(location, out var upload) ? upload.Bytes.Length : throw Refuse(404, "upload-unknown"));

    public ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation) => Handle("append", cancellation, true, () =>
    {
        if (!uploads.TryGetValue(location, out var upload))
        {
            throw Refuse(404, "upload-unknown");
        }

        if (offset != upload.Bytes.Length)
        {
            WrongOffsets++;
            throw ClientException.Of(new Problem(409, Problem.WrongOffset, "elsewhere") { UploadOffset = upload.Bytes.Length });
        }

        var buffer = new byte[count];
        bytes.ReadExactly(buffer);
        upload.Bytes.Write(buffer);
        if (upload.Bytes.Length == upload.Blob.Length)
        {
            uploads.Remove(location);
            if (Convert.ToHexStringLower(SHA256.HashData(upload.Bytes.ToArray())) != upload.Blob.Sha256)
            {
                throw Refuse(422, Problem.Digest);
            }

            blobs[upload.Blob.Sha256] = upload.Bytes.ToArray();
        }

        return upload.Bytes.Length;
    });

    /// <summary>Appends what nobody in this session sent.</summary>
    public void Smuggle(BlobReference blob, Stream bytes, int count)
    {
        var buffer = new byte[count];
        bytes.ReadExactly(buffer);
        uploads[$"/v1/uploads/{blob.Sha256}"].Bytes.Write(buffer);
    }

    /// <summary>Drops what has come of every upload, as a crash of the coordinator may.</summary>
    public void ForgetUploads() => uploads.Clear();
}
