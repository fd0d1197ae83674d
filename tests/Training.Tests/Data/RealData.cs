namespace Federated.Training.Tests.Data;

/// <summary>The folder of public data sets beside the repository, or the one that FED_DATA_DIR names.</summary>
internal static class RealData
{
    public static string? Folder { get; } = Find();

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("FED_DATA_DIR") is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : null;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}

/// <summary>A test on public data that is not in the repository; skipped, saying so, where the folder is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RealDataFactAttribute : FactAttribute
{
    public RealDataFactAttribute(string set)
    {
        if (RealData.Folder is null)
        {
            Skip = "No folder of public data: set FED_DATA_DIR, or put it at ../shared/data.";
        }
        else if (!Directory.Exists(Path.Combine(RealData.Folder, set)))
        {
            Skip = $"{RealData.Folder} has no folder '{set}'.";
        }
    }
}
