using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;

namespace Federated.Coordinator.Dashboard.Http;

/// <summary>The built web app, embedded in an assembly under <c>dashboard/</c>; empty when it was built without Node.js.</summary>
public sealed class DashboardAssets
{
    private const string Prefix = "dashboard/";

    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".json"] = "application/json",
    };

    private readonly Dictionary<string, Lazy<Asset>> assets = new(StringComparer.Ordinal);

    public DashboardAssets(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        foreach (var name in assembly.GetManifestResourceNames())
        {
            var path = name.Replace('\\', '/');
            if (path.StartsWith(Prefix, StringComparison.Ordinal))
            {
                assets[path[Prefix.Length..]] = new Lazy<Asset>(() => Load(assembly, name, path));
            }
        }
    }

    /// <summary>False: the pages are not there, everything else is.</summary>
    public bool IsBuilt => assets.ContainsKey("index.html");

    internal bool TryGet(string path, [NotNullWhen(true)] out Asset? asset)
    {
        asset = assets.TryGetValue(path, out var found) ? found.Value : null;
        return asset is not null;
    }

    private static Asset Load(Assembly assembly, string name, string path)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        using var plain = new MemoryStream();
        stream.CopyTo(plain);
        var bytes = plain.ToArray();
        using var packed = new MemoryStream();
        using (var brotli = new BrotliStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            brotli.Write(bytes);
        }

        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return new Asset(
            bytes, packed.ToArray(), zipped.ToArray(), Types.GetValueOrDefault(Path.GetExtension(path), "application/octet-stream"),
            $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
    }

    internal sealed record Asset(byte[] Bytes, byte[] Brotli, byte[] Gzip, string ContentType, string Tag);
}
