namespace Federated.Protocol;

/// <summary>Bytes in the content-addressed blob store. Weights travel as these, never inside messages.</summary>
/// <param name="Sha256">Lower-case hex digest of the bytes.</param>
/// <param name="Length">Size in bytes.</param>
public sealed record BlobReference(string Sha256, long Length);
