namespace Federated.Cli;

/// <summary>Where a run's results go when nobody says.</summary>
internal static class ResultsPath
{
    /// <summary>root/name, or the first of root/name-2, -3, … that is not there: an earlier run is never overwritten unasked.</summary>
    public static string New(string root, string name)
    {
        // Only what is a file name everywhere; a name such as ".." stays inside the root.
        var slug = string.Concat(name.Trim().Select(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')).Trim('.', '-');
        var path = Path.Combine(root, slug.Length > 0 ? slug : "run");
        var free = path;
        for (var i = 2; Directory.Exists(free) || File.Exists(free); i++)
        {
            free = $"{path}-{i}";
        }

        return free;
    }
}
