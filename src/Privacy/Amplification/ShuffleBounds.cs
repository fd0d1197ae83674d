namespace Federated.Privacy.Amplification;

/// <summary>Names of the shuffle bounds in configuration and on the command line.</summary>
public static class ShuffleBounds
{
    /// <value>Every bound with its name.</value>
    public static IReadOnlyDictionary<string, ShuffleBound> ByName { get; } = new Dictionary<string, ShuffleBound>(StringComparer.Ordinal)
    {
        ["fmt23"] = ShuffleBound.Fmt23,
        ["fmt21"] = ShuffleBound.Fmt21,
        ["fmt23-closed"] = ShuffleBound.Fmt23Closed,
        ["fmt21-closed"] = ShuffleBound.Fmt21Closed,
        ["blanket-hoeffding"] = ShuffleBound.BlanketHoeffding,
        ["blanket-bennett"] = ShuffleBound.BlanketBennett,
        ["efmrtt"] = ShuffleBound.Efmrtt,
    };

    /// <summary>The name of a bound.</summary>
    public static string Name(this ShuffleBound bound) => ByName.First(pair => pair.Value == bound).Key;

    /// <summary>The bound of a name.</summary>
    /// <exception cref="PrivacyException">No bound has that name.</exception>
    public static ShuffleBound Parse(string name) => ByName.TryGetValue(name, out var bound)
        ? bound
        : throw new PrivacyException($"There is no shuffle bound '{name}': choose one of {string.Join(", ", ByName.Keys)}.");
}
