using System.Security.Cryptography;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>Which way private keys go here: libcrypto's curve where it is there and gives the right product, .NET's own otherwise.</summary>
internal static class AgreementKeys
{
    private static readonly Lazy<string?> Library = new(() => LibCrypto.TryLoad(out var name) && IsRight() ? name : null);

    /// <summary>What multiplies points in this process.</summary>
    public static string InUse => Library.Value ?? PlatformAgreementKey.Name;

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

    /// <summary>NIST's first vector of ECC CDH on P-256 (CAVP, KAS_ECC_CDH_PrimitiveTest): a library of this name that does something else is not used.</summary>
    private static bool IsRight()
    {
        using var key = LibCryptoAgreementKey.TryCreate(Convert.FromHexString("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534"));
        Span<byte> secret = stackalloc byte[P256Encoding.NumberBytes];
        return key is not null
            && key.TryAgree(
                Convert.FromHexString("04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"), secret)
            && secret.SequenceEqual(Convert.FromHexString("46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"));
    }
}
