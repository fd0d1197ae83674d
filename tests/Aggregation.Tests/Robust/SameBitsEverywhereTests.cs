using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;
using Federated.Aggregation.Tests.Compression;
using static Federated.Aggregation.Tests.Robust.RobustTesting;

namespace Federated.Aggregation.Tests.Robust;

/// <summary>
/// One hash over the results of all rules, and one over the bytes of all codecs, as this code gave them with AVX-512, with
/// DOTNET_EnableAVX512=0 and with DOTNET_EnableHWIntrinsic=0: the width of a machine's registers changes no bit.
/// </summary>
public class SameBitsEverywhereTests
{
    [Fact]
    public void Of_robust_rules()
    {
        var x = Uniform(15, 2003);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in RobustRules.All)
        {
            hash.AppendData(MemoryMarshal.AsBytes(Combine<float>(name, x, threads: 2).Select(v => (float)v).ToArray().AsSpan()));
            hash.AppendData(MemoryMarshal.AsBytes(Combine<double>(name, x).AsSpan()));
        }

        Assert.Equal("fd3035332284013b", Convert.ToHexStringLower(hash.GetCurrentHash())[..16]);
    }

    [Fact]
    public void Of_codecs()
    {
        var update = Uniform(1, 9001)[0];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in CodecTesting.All)
        {
            hash.AppendData(CodecTesting.Codec<float>(name).Encode([.. update.Select(v => (float)v)], 3));
            hash.AppendData(CodecTesting.Codec<double>(name).Encode(update, 3));
        }

        Assert.Equal("f26f46807c564abc", Convert.ToHexStringLower(hash.GetCurrentHash())[..16]);
    }

    // Sums of uniforms: no logarithm or cosine, whose last bit may differ between C libraries.
    private static double[][] Uniform(int n, int d)
    {
        var random = SeededRandom.Derive(1, "everywhere");
        return [.. Enumerable.Range(0, n).Select(_ => Enumerable.Range(0, d).Select(_ => (double)(float)(random.NextDouble() + random.NextDouble() - 1)).ToArray())];
    }
}
