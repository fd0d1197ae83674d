using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Federated.Protocol.Local;

/// <summary>
/// What a coordinator that listens on this machine only leaves for other programs of the same user: <c>fed runs</c> and <c>fed client</c>
/// find it by the coordinator's address, so that three terminals need no set-up and still nobody is anonymous.
/// </summary>
/// <remarks>A file per port in <see cref="Folder"/>, readable by its user alone (0600), deleted when the coordinator stops.</remarks>
/// <param name="Url">Where it listens.</param>
/// <param name="Coordinator">Its id.</param>
/// <param name="OperatorToken">Lets its holder act as the operator.</param>
/// <param name="EnrolmentToken">Enrols clients on this machine, any number of them.</param>
public sealed record LocalCoordinator(string Url, string Coordinator, string OperatorToken, string EnrolmentToken)
{
    /// <summary>Where a coordinator listens when nothing else is said.</summary>
    public const string DefaultUrl = "http://127.0.0.1:7431";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary><c>$FED_HOME/coordinators</c>; without FED_HOME it is <c>~/.federated</c>.</summary>
    public static string Folder => Path.Combine(
        Environment.GetEnvironmentVariable("FED_HOME") is { Length: > 0 } home
            ? home
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".federated"),
        "coordinators");

    /// <summary>What the coordinator at this address left; null when it is on another machine, or left nothing.</summary>
    public static LocalCoordinator? Find(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.IsLoopback)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(url)), LocalJson.Default.LocalCoordinator);
        }
        catch (Exception nothing) when (nothing is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Leaves the file.</summary>
    /// <returns>Its path.</returns>
    public string Leave()
    {
        var path = PathOf(new Uri(Url));
        Directory.CreateDirectory(Folder);
        var next = $"{path}.{Environment.ProcessId}";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(next); // The mode below is only for new files.
            options.UnixCreateMode = OwnerOnly;
        }

        using (var file = new FileStream(next, options))
        {
            JsonSerializer.Serialize(file, this, LocalJson.Default.LocalCoordinator);
        }

        File.Move(next, path, overwrite: true); // Whoever looks finds the old tokens or the new ones: of a coordinator that died the old ones are good as well.
        return path;
    }

    /// <summary>Deletes the file.</summary>
    public void Forget()
    {
        try
        {
            File.Delete(PathOf(new Uri(Url)));
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody cleared the folder away: it is forgotten.
        }
    }

    private static string PathOf(Uri url) => Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"localhost-{url.Port}.json"));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LocalCoordinator))]
internal sealed partial class LocalJson : JsonSerializerContext;
