using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>
/// What is used of the system's libcrypto (OpenSSL 3): the curve alone, none of it deprecated. It is the library that .NET's own cryptography on Linux
/// calls; reached directly, a point costs one multiplication instead of three (docs/decisions/0011).
/// </summary>
internal static unsafe partial class LibCrypto
{
    /// <summary>OBJ_sn2nid("prime256v1").</summary>
    public const int P256 = 415;

    /// <summary>POINT_CONVERSION_UNCOMPRESSED.</summary>
    public const int Uncompressed = 4;

    private const string Library = "libcrypto.so.3";
    private const ulong InitWithoutExitHandler = 0x00080000;
    private const int VersionText = 0;

    private static readonly string[] Symbols =
    [
        "OPENSSL_init_crypto", "OpenSSL_version", "EVP_default_properties_is_fips_enabled", "EC_GROUP_new_by_curve_name", "EC_GROUP_free", "EC_POINT_new", "EC_POINT_free",
        "EC_POINT_clear_free", "EC_POINT_oct2point", "EC_POINT_point2oct", "EC_POINT_mul", "BN_CTX_new", "BN_CTX_free", "BN_bin2bn", "BN_clear_free", "ERR_clear_error",
    ];

    /// <summary>Finds out whether the library can be used.</summary>
    /// <param name="name">Its name and version.</param>
    /// <returns>False where there is none, where it lacks a function, and where it is bound to FIPS 140, which holds only behind its providers.</returns>
    public static bool TryLoad([NotNullWhen(true)] out string? name)
    {
        name = null;
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), DllImportSearchPath.SafeDirectories, out var handle)
            || !Array.TrueForAll(Symbols, symbol => NativeLibrary.TryGetExport(handle, symbol, out _)))
        {
            return false;
        }

        // As .NET does: its threads outlive main, and the library must not be torn down under them.
        if (InitCrypto(InitWithoutExitHandler, 0) != 1 || IsFipsEnabled(0) != 0)
        {
            return false;
        }

        name = $"{Marshal.PtrToStringUTF8(Version(VersionText))} ({Library})";
        return true;
    }

    [LibraryImport(Library, EntryPoint = "OPENSSL_init_crypto"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int InitCrypto(ulong options, nint settings);

    [LibraryImport(Library, EntryPoint = "OpenSSL_version"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Version(int what);

    [LibraryImport(Library, EntryPoint = "EVP_default_properties_is_fips_enabled"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int IsFipsEnabled(nint context);

    [LibraryImport(Library, EntryPoint = "EC_GROUP_new_by_curve_name"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial GroupHandle NewGroup(int curve);

    [LibraryImport(Library, EntryPoint = "EC_GROUP_free"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void FreeGroup(nint group);

    [LibraryImport(Library, EntryPoint = "EC_POINT_new"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint NewPoint(nint group);

    [LibraryImport(Library, EntryPoint = "EC_POINT_free"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void FreePoint(nint point);

    [LibraryImport(Library, EntryPoint = "EC_POINT_clear_free"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void ClearFreePoint(nint point);

    /// <summary>1 when the bytes are a point on the curve.</summary>
    [LibraryImport(Library, EntryPoint = "EC_POINT_oct2point"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int ReadPoint(nint group, nint point, byte* bytes, nuint length, nint scratch);

    [LibraryImport(Library, EntryPoint = "EC_POINT_point2oct"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nuint WritePoint(nint group, nint point, int form, byte* bytes, nuint length, nint scratch);

    /// <summary>product = n·G + m·q, in constant time when one of the two numbers is null.</summary>
    [LibraryImport(Library, EntryPoint = "EC_POINT_mul"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Multiply(nint group, nint product, nint n, nint q, nint m, nint scratch);

    [LibraryImport(Library, EntryPoint = "BN_CTX_new"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint NewScratch();

    /// <summary>Overwrites what was in it.</summary>
    [LibraryImport(Library, EntryPoint = "BN_CTX_free"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void FreeScratch(nint scratch);

    [LibraryImport(Library, EntryPoint = "BN_bin2bn"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial NumberHandle ReadNumber(byte* bytes, int length, nint into);

    [LibraryImport(Library, EntryPoint = "BN_clear_free"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void ClearFreeNumber(nint number);

    /// <summary>A refused point leaves an error in the thread's queue; .NET would find it there and tell it as its own.</summary>
    [LibraryImport(Library, EntryPoint = "ERR_clear_error"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void ClearErrors();

    /// <summary>An EC_GROUP: read by many threads at once, written by none.</summary>
    internal sealed class GroupHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeGroup(handle);
            return true;
        }
    }

    /// <summary>A secret BIGNUM, overwritten when it is freed.</summary>
    internal sealed class NumberHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            ClearFreeNumber(handle);
            return true;
        }
    }
}
