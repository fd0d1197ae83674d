using System.Security.Cryptography;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>Which way private keys go here: libcrypto's curve where it is there and gives the right product, .NET's own otherwise.</summary>
internal static class AgreementKeys
{
    /// <summary>NIST's first vector of ECC CDH on P-256 (CAVP, KAS_ECC_CDH_PrimitiveTest).</summary>
    private static readonly byte[]
        Number = Convert.FromHexString("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534"),
        Point = Convert.FromHexString("04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"),
        Product = Convert.FromHexString("46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b");

    private static readonly Lazy<bool> HasLanes = new(AreLanesRight);
    private static readonly Lazy<string?> Library = new(() => LibCrypto.TryLoad(out var name) && IsRight() ? name : null);

    /// <summary>What multiplies points in this process.</summary>
    public static string InUse => Library.Value ?? PlatformAgreementKey.Name;

    /// <summary>What multiplies several at once.</summary>
    public static string InUseTogether => HasLanes.Value ? "AVX-512" : InUse;

    /// <param name="key">Stays its owner's, and is not used after it was disposed of.</param>
    public static IAgreementKey Create(ECDiffieHellman key)
    {
        if (Library.Value is null)
        {
            return new PlatformAgreementKey(key);
        }

        var number = key.ExportParameters(includePrivateParameters: true).D!;
        try
        {
            return LibCryptoAgreementKey.TryCreate(number)!;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(number);
        }
    }

    /// <returns>Null where eight points at once cannot be had.</returns>
    public static LaneAgreementKey? CreateLanes(ECDiffieHellman key)
    {
        if (!HasLanes.Value)
        {
            return null;
        }

        var number = key.ExportParameters(includePrivateParameters: true).D!;
        try
        {
            return LaneAgreementKey.TryCreate(number);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(number);
        }
    }

    /// <summary>What gives another product than the vector's is not used, whatever it is.</summary>
    private static bool IsRight()
    {
        using var key = LibCryptoAgreementKey.TryCreate(Number);
        Span<byte> secret = stackalloc byte[P256Encoding.NumberBytes];
        return key is not null && key.TryAgree(Point, secret) && secret.SequenceEqual(Product);
    }

    private static bool AreLanesRight()
    {
        using var key = LaneAgreementKey.TryCreate(Number);
        Span<byte> points = stackalloc byte[LaneAgreementKey.Lanes * P256Encoding.PointBytes];
        Span<byte> secrets = stackalloc byte[LaneAgreementKey.Lanes * P256Encoding.NumberBytes];
        Span<bool> agreed = stackalloc bool[LaneAgreementKey.Lanes];
        for (var lane = 0; lane < agreed.Length; lane++)
        {
            Point.CopyTo(points[(lane * P256Encoding.PointBytes)..]);
        }

        key?.Agree(points, secrets, agreed);
        for (var lane = 0; lane < agreed.Length; lane++)
        {
            if (!agreed[lane] || !secrets.Slice(lane * P256Encoding.NumberBytes, P256Encoding.NumberBytes).SequenceEqual(Product))
            {
                return false;
            }
        }

        return true;
    }
}
