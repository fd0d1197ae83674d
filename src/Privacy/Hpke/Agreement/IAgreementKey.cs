namespace Federated.Privacy.Hpke.Agreement;

/// <summary>A private number of P-256 that others' points are multiplied by. Thread-safe.</summary>
/// <remarks>
/// SEC 1, section 3.3.1, and RFC 9180, sections 4.1 and 7.1.4: the shared secret is the product's x-coordinate, 32 bytes, big-endian; a point is refused
/// when it is not on the curve, which for a curve of cofactor 1 is all the validation that there is. Every implementation gives the same secrets and refuses
/// the same points.
/// </remarks>
internal interface IAgreementKey : IDisposable
{
    /// <param name="point">65 bytes, uncompressed; anything else is refused.</param>
    /// <param name="secret">32 bytes; overwritten when the point is good.</param>
    /// <returns>False when the bytes are no point of the curve.</returns>
    bool TryAgree(ReadOnlySpan<byte> point, Span<byte> secret);
}
