using System.Security.Cryptography;
using Federated.Privacy.Hpke.Agreement;

namespace Federated.Privacy.Tests.Hpke;

/// <summary>The ways to multiply a point. Where libcrypto is not there, what a service would use instead stands in for it.</summary>
internal static class Ways
{
    public const string Platform = "platform", InUse = "in use";

    public static TheoryData<string> All => [Platform, InUse];

    internal static Func<ECDiffieHellman, IAgreementKey> Of(string way) => way switch
    {
        Platform => key => new PlatformAgreementKey(key),
        _ => AgreementKeys.Create,
    };
}
